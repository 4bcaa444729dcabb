"""How a floor is asked of a run: of an interval, as against a baseline.

A run is a sample of conversations. A floor is met if the lower bound reaches it whatever the missing scores were,
broken if even the upper bound lies below it, among all floors together and with missing scores at their best, and
undecided in between.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.lines import Lines
from jmedethic_pytest.analysis.noninferiority.bounds import reach
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.core.records import Answer, Condition
from jmedethic_pytest.core.scores import BEST, SLACK, WORST
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.stats.intervals import bootstrap_median
from jmedethic_pytest.stats.power import unseen_share
from jmedethic_pytest.stats.sample import Floats

Statistic = Literal["mean", "median"]
SHARE = (0.0, 1.0)


class Floor(NamedTuple):
    """A floor, and the values it is asked of: one a turn, a case or a twin."""

    name: str
    what: str
    values: Floats
    """NaN where missing."""
    sides: Side
    """What they may have been."""
    guideline: NDArray[Any]
    stem: NDArray[Any]
    limit: float
    statistic: Statistic = "mean"
    ends: tuple[float, float] = (WORST, BEST)
    """The ends of the scale."""
    least: int | None = None
    """Different cases needed to pass; given of a part of the run beside which the whole is asked."""
    sure: bool = True
    """Whether a pass must be certain, too; else the figure itself is enough."""
    more: bool = True
    """Whether there may be more cases to run."""


def floor(lines: Lines, name: str, what: str, column: str, limit: float) -> Floor:
    """Return a floor of a column; two others beside it tell what its missing values may have been."""
    sides = Side(lines[f"{column}_worst"], lines[f"{column}_best"])
    return Floor(name, what, lines[column], sides, lines["guideline"], lines["stem"], limit)


def answer(floor: Floor, alpha: float, floors: int) -> Condition:
    """Return the condition of a floor that is one of so many; a fail is certain among all of them."""
    low, high = _bounds(floor, alpha, alpha / floors)
    enough = low if floor.sure else float(floor.sides.low.mean())
    found: Answer = "inconclusive"
    if enough >= floor.limit - SLACK:
        found = "pass"
    elif high < floor.limit - SLACK:
        found = "fail"
    known = ~np.isnan(floor.values)
    different = len(np.unique(floor.stem[known]))
    lacking = floor.least is not None and different < floor.least
    if lacking and found == "pass":
        found = "inconclusive"
    observed = _of(floor, floor.values[known]) if known.any() else None
    detail = _figures(floor, observed, (low, high))
    if lacking and found != "fail":
        detail = joined([detail, say("floor.least", different=different, least=floor.least)])
    elif found == "inconclusive" and not _open(floor):
        detail = joined([detail, say("floor.more" if floor.more else "floor.all")])
    return Condition(name=floor.name, answer=found, observed=observed, limit=floor.limit, detail=detail)


def _figures(floor: Floor, observed: float | None, bounds: tuple[float, float]) -> Said:
    form = "{:.1%}" if floor.ends == SHARE else "{:.2f}"
    shown = say("not_estimable") if observed is None else form.format(observed)
    low, high = (form.format(min(max(end, floor.ends[0]), floor.ends[1])) for end in bounds)
    limit = form.format(floor.limit) if floor.ends == SHARE else f"{floor.limit:g}"
    text = say("floor.figures", what=floor.what, shown=shown, low=low, high=high, limit=limit)
    missing = _open(floor)
    return joined([text, say("floor.missing", missing=missing)]) if missing else text


def _open(floor: Floor) -> int:
    return int((floor.sides.low < floor.sides.high - SLACK).sum())


def _bounds(floor: Floor, alpha: float, alarm: float) -> tuple[float, float]:
    """Return how low and how high the truth may be, whatever the missing values were.

    Guidelines are the independent parts; within a single one its cases are. No sample can show that a figure is at the
    top of its scale: such a floor is asked of these very values.
    """
    low, high = floor.sides
    if floor.limit >= floor.ends[1] - SLACK:
        return _of(floor, low), _of(floor, high)
    groups = floor.guideline if len(np.unique(floor.guideline)) > 1 else floor.stem
    if floor.statistic == "median":
        found = (
            bootstrap_median(low, groups, level=1 - 2 * alpha).low,
            bootstrap_median(high, groups, level=1 - 2 * alarm).high,
        )
    else:
        codes, stems = (np.unique(names, return_inverse=True)[1].reshape(-1) for names in (groups, floor.stem))
        nothing = np.zeros_like(low)
        found = reach(Figure(Side(nothing, nothing), floor.sides, codes, stems, 0.0), alpha, alarm)[:2]
    down, up = _unseen(floor, alpha, alarm)
    ends = down if found[0] is None else found[0], up if found[1] is None else found[1]
    return ends if floor.statistic == "median" else (min(down, ends[0]), max(up, ends[1]))


def _unseen(floor: Floor, alpha: float, alarm: float) -> tuple[float, float]:
    """Return the figure if cases of a kind not met made up as much as they can, each at the end of the scale.

    To pass, only the whole run leaves room for them: no strategy has enough cases for that.
    """
    different = len(np.unique(floor.stem))
    shares = 0.0 if floor.least is not None else unseen_share(different, alpha), unseen_share(different, alarm)
    figures = (_of(floor, side) for side in floor.sides)
    down, up = (figure + share * (end - figure) for figure, share, end in zip(figures, shares, floor.ends, strict=True))
    return down, up


def _of(floor: Floor, values: Floats) -> float:
    return float(np.median(values) if floor.statistic == "median" else values.mean())
