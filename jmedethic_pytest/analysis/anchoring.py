"""Anchors: which conversations to freeze, and what scoring them again says of the judges."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.analysis.noninferiority.endpoints import HALF_COMPLIANCE
from jmedethic_pytest.core.records import Turn, Verdict
from jmedethic_pytest.core.scores import BEST, PAPER_FLOOR, at_or_below
from jmedethic_pytest.core.status import Steadiness
from jmedethic_pytest.stats.bands import EDGES, band, spread
from jmedethic_pytest.stats.drift import DELTA, Point, Shift, chart, shift, steadiness
from jmedethic_pytest.stats.sample import Floats
from jmedethic_pytest.store.anchors import Check, JudgeCheck, Shifted
from jmedethic_pytest.store.scores import Row, ScoreSheet

PER_GUIDELINE = 2
_RANK: Mapping[Steadiness, int] = {"stable": 0, "unclear": 1, "moved": 2}
Floors = Callable[[str, int], float]


class Findings(NamedTuple):
    """What a check says, as its record has it (:class:`jmedethic_pytest.store.anchors.Check`)."""

    answer: Steadiness
    reasons: tuple[str, ...]
    whole: JudgeCheck
    judges: tuple[JudgeCheck, ...]
    figures: dict[str, Shifted]
    bands: dict[str, Shifted]


def choose(sheets: Sequence[ScoreSheet], seed: int) -> list[tuple[int, str]]:
    """Return the number of the run and the key of each anchor: two conversations of every guideline.

    Within a guideline no conversation is taken twice; bands of the lowest score, models and strategies are as even as
    they can be.
    """
    pool = [
        (number, row)
        for number, sheet in enumerate(sheets)
        for _, row in sorted(sheet.rows.items())
        if not row.twin and None not in row.turns and "~" not in row.key
    ]
    guidelines = {row.guideline for _, row in pool}
    labels: list[list[Hashable]] = [
        [row.guideline for _, row in pool],
        [row.stem for _, row in pool],
        [int(band([_lowest(row)])[0]) for _, row in pool],
        [number for number, _ in pool],
        [row.strategy for _, row in pool],
        [row.locale for _, row in pool],
    ]
    places = spread(labels, PER_GUIDELINE * len(guidelines), seed) if pool else ()
    found: dict[str, int] = {}
    for place in places:
        number, row = pool[place]
        found.setdefault(row.key, number)
    return sorted((number, key) for key, number in found.items())


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def _lowest(row: Row) -> float:
    return min(score for score in row.turns if score is not None)


class _Scored:
    """The scores of the anchors, frozen and of today: conversations x turns, missing ones NaN."""

    def __init__(self, frozen: Sequence[Verdict], now: Sequence[Verdict], judges: Sequence[int]) -> None:
        self.length = max(len(item.turns) for item in frozen)
        self.before, self.now = (
            np.array([_scores(item, judges, self.length) for item in items], dtype=np.float64)
            for items in (frozen, now)
        )
        self.guideline = np.array([item.case.guideline for item in frozen])
        self.planned = np.array([[index < len(item.turns) for index in range(self.length)] for item in frozen])

    def turns(self, chosen: NDArray[np.bool_] | None = None) -> Shift:
        """Return the shift of the score of a turn, of all conversations or some."""
        return self._of(self.now - self.before, chosen)

    def share(self) -> Shift:
        """Return the shift of the share of turns at or below the paper's floor."""
        low_now, low_before = (_low(scores) for scores in (self.now, self.before))
        return self._of(low_now - low_before, None)

    def figure(self, of: Callable[[Floats], Floats]) -> Shift:
        """Return the shift of a figure of whole conversations."""
        return shift(of(self.now) - of(self.before), self.guideline)

    def deviation(self) -> tuple[float | None, float | None]:
        """Return the standard deviation of the scores, frozen and now, of turns that have both."""
        both = ~np.isnan(self.before) & ~np.isnan(self.now)
        if both.sum() < 2:
            return None, None
        return float(self.before[both].std(ddof=1)), float(self.now[both].std(ddof=1))

    def _of(self, change: Floats, chosen: NDArray[np.bool_] | None) -> Shift:
        there = self.planned if chosen is None else self.planned & chosen[:, None]
        guideline = np.broadcast_to(self.guideline[:, None], change.shape)
        return shift(change[there], guideline[there])


def check(
    frozen: Sequence[Verdict],
    now: Sequence[Verdict],
    judges: Sequence[str],
    floors: Floors,
    served: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> Findings:
    """Compare scores of today with the frozen ones.

    Args:
        frozen: the anchors.
        now: the same conversations, scored again, in the same order.
        judges: names of the judges, in the order of the panel.
        floors: of single turns, by strategy and turn.
        served: for each judge, also a third, the model names its server reported when the anchors were frozen, and now.
    """
    panel = _Scored(frozen, now, range(len(judges)))
    whole = _judge("the panel", panel, ())
    each = tuple(_judge(name, _Scored(frozen, now, [number]), served[name][1]) for number, name in enumerate(judges))
    changed = [name for name, (before, today) in served.items() if before != today]
    reasons = [reason for item in (whole, *each) for reason in _reasons(item)]
    reasons += [f"{name} was served as {_named(served[name][0])}, now as {_named(served[name][1])}" for name in changed]
    answer = max((whole.answer, *(item.answer for item in each)), key=_RANK.__getitem__)
    if answer == "stable" and changed:
        answer = "unclear"
    lowest = np.array([np.nan if np.isnan(row).all() else np.nanmin(row) for row in panel.before])
    bands = {
        f"up to {highest:g}": _record(panel.turns(band(lowest) == number))
        for number, highest in enumerate((*EDGES, BEST))
        if (band(lowest) == number).any()
    }
    return Findings(answer, tuple(reasons), whole, each, dict(_figures(frozen, panel, floors)), bands)


def trend(checks: Sequence[Check], judge: str | None = None) -> list[Point]:
    """Return the chart of all checks, of the panel or of one judge; those without an error are left out."""
    shifts = [
        found.mean
        for item in checks
        for found in ((item.whole,) if judge is None else item.judges)
        if judge is None or found.judge == judge
    ]
    return chart([item.value / item.error for item in shifts if item.value is not None and item.error > 0])


def as_shift(found: Shifted) -> Shift:
    """Return a stored shift as the statistics want it."""
    return Shift(**found.model_dump())


def _judge(name: str, scores: _Scored, served: tuple[str, ...]) -> JudgeCheck:
    mean, share = scores.turns(), scores.share()
    before, now = scores.deviation()
    return JudgeCheck(
        judge=name,
        answer=steadiness(mean, share),
        mean=_record(mean),
        share=_record(share),
        sd_frozen=before,
        sd_now=now,
        served=served,
    )


def _reasons(found: JudgeCheck) -> Iterator[str]:
    if found.answer == "stable":
        return
    mean = as_shift(found.mean)
    if mean.value is None:
        yield f"{found.judge}: {mean.n} turns of {mean.clusters} guidelines tell nothing"
        return
    text = f"{found.judge} is {found.answer}: {mean.value:+.3f} points [{mean.value - mean.half():+.3f}, "
    text += f"{mean.value + mean.half():+.3f}] (stable within {DELTA:g})"
    share = found.share.value
    text += f", share at or below {PAPER_FLOOR:g} {share:+.1%}" if share is not None else ""
    yield f"{text}, {mean.missing} turns lack a score" if mean.missing else text


def _figures(frozen: Sequence[Verdict], panel: _Scored, floors: Floors) -> Iterator[tuple[str, Shifted]]:
    """Yield the shift of every figure that runs are compared by."""
    limits = np.array([[floors(item.case.strategy, turn) for turn in range(panel.length)] for item in frozen])
    planned = panel.planned

    def over(function: Callable[..., Floats]) -> Callable[[Floats], Floats]:
        return lambda scores: np.where(_whole(scores, planned), function(np.where(planned, scores, BEST)), np.nan)

    def mean(scores: Floats) -> Floats:
        return np.where(_whole(scores, planned), np.nansum(scores, axis=1) / planned.sum(axis=1), np.nan)

    yield "mean", _record(panel.figure(mean))
    for turn in range(panel.length):
        there = planned[:, turn]
        change = (panel.now - panel.before)[there, turn]
        yield f"T{turn}", _record(shift(change, panel.guideline[there]))
    yield "min", _record(panel.figure(over(lambda scores: scores.min(axis=1))))
    yield "pass_rate", _record(panel.figure(over(lambda scores: (~at_or_below(scores, limits)).all(axis=1) * 1.0)))
    above = over(lambda scores: (~at_or_below(scores, HALF_COMPLIANCE)).all(axis=1) * 1.0)
    yield "above_4", _record(panel.figure(above))


def _whole(scores: Floats, planned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray((~np.isnan(scores) | ~planned).all(axis=1))


def _low(scores: Floats) -> Floats:
    return np.where(np.isnan(scores), np.nan, at_or_below(scores, PAPER_FLOOR) * 1.0)


def _scores(verdict: Verdict, judges: Sequence[int], length: int) -> list[float]:
    """Return the mean of these judges at every turn; NaN where one gave no score.

    Of the whole panel it is the third judge's score where one was asked.
    """
    found = [
        _known(turn.third.value)
        if turn.third is not None and len(judges) > 1
        else np.mean([_value(turn, judge) for judge in judges]).item()
        for turn in verdict.turns
    ]
    return [*found, *[np.nan] * (length - len(found))]


def _value(turn: Turn, judge: int) -> float:
    return _known(turn.scores[judge].value if judge < len(turn.scores) else None)


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def _record(found: Shift) -> Shifted:
    return Shifted(**found._asdict())
