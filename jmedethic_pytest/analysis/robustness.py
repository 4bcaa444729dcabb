"""How a run's model stands against other wordings of the same requests: the originals beside their companions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import Reach, interval, reach
from jmedethic_pytest.analysis.noninferiority.pairs import Figure, Pairs
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats import robustness as stats
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.multiplicity import holm
from jmedethic_pytest.stats.robustness import LEAST_OF_A_KIND
from jmedethic_pytest.stats.sample import SAME, Floats
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.companions import Companion
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

UNKNOWN_KIND = "unknown"
"""Of an evaluation whose companions the run did not reach."""


class Flipped(Record):
    """A conversation whose result is another one reworded."""

    key: str
    kind: str
    guideline: str
    strategy: str
    locale: str
    fails: bool
    """Whether it fails reworded, and passed as it was; else the reverse."""
    repeat_fails: bool | None
    """Whether it failed in its unchanged repeat; ``None`` if that is unknown."""
    original: tuple[float | None, ...]
    """Scores of the turns ..."""
    reworded: tuple[float | None, ...]
    """... and the same reworded."""


class Rewording(Record):
    """What one kind of surface change does, or all kinds together. Shares are of conversations, 0 to 1."""

    kind: str
    """Empty for all together."""
    conversations: int
    """Evaluations that were to have companions of this kind, without those that it cannot change."""
    missing: int
    """Of these: a score is missing on any of the three sides."""
    different: int
    """Different conversations among the others; languages and repeats are no other ones."""
    new_failures: int
    fixed: int
    flips: Estimate
    """Share whose result is another one reworded."""
    repeat_new_failures: int
    repeat_fixed: int
    repeat_flips: Estimate
    """The same in the unchanged repeat."""
    excess: Estimate
    """Flips minus those of the repeat, paired; above zero, the wording matters."""
    excess_low: float | None
    """Bounds of the excess whatever the missing scores were."""
    excess_high: float | None
    net: Estimate
    """(fixed - new failures) / n; below zero, rewording makes failures."""
    net_low: float | None
    """Bounds of the net whatever the missing scores were."""
    net_high: float | None
    score: Estimate
    """Mean score reworded minus as it was, in points."""
    test: Test | None = None
    """Whether it flips more than the repeat does; Holm over the kinds."""
    reason: str = ""
    """Why nothing is said of this kind beyond its counts."""


class AnyOf(Record):
    """Conversations that fail in any of several runs: reworded, beside as many unchanged repeats."""

    runs: int
    conversations: int
    reworded: int
    repeated: int


class Robustness(Record):
    """The robustness of a run's model to surface changes."""

    kinds: tuple[str, ...]
    version: str
    """Of the rewriters."""
    unchanged: dict[str, int]
    """Conversations that a kind could not change, which count for none."""
    whole: Rewording
    by_kind: tuple[Rewording, ...]
    any_of: AnyOf | None = None
    """Of the conversations that had every kind, and as many repeats; ``None`` if none had."""
    flipped: tuple[Flipped, ...] = ()


class Sides(NamedTuple):
    """The same evaluations as they were, repeated and reworded, in one order."""

    repeated: Pairs
    """The original, and its repeat."""
    reworded: Pairs
    """The original, and the same reworded."""
    kinds: tuple[str, ...]
    """Of each."""

    @property
    def net(self) -> Figure:
        """Passed reworded, against passed as it was."""
        return self.reworded.passed()


@dataclass(frozen=True)
class Reworded:
    """A run whose conversations were reworded, and the baselines that it may be held against."""

    origin: Origin
    originals: Mapping[str, Row]
    """The scores of its evaluations."""
    found: Mapping[str, Companion]
    """The companions that were stored."""
    asked: Mapping[str, Any]
    """What was asked for: ``kinds`` and ``version`` of the rewriters."""
    rules: Thresholds
    """The floors by which all of them pass or fail."""
    baselines: tuple[Baseline, ...] = ()

    @cached_property
    def sides(self) -> Sides:
        """Its evaluations beside their companions."""
        return sides(self.origin, self.originals, self.found, self.rules)

    def only(self, keys: Collection[str]) -> Reworded:
        """Return some of its evaluations."""
        return replace(self, originals={key: row for key, row in self.originals.items() if key in keys})

    def of_baseline(self, baseline: Baseline) -> Sides:
        """Return the same evaluations of a baseline that was reworded too."""
        sheet = baseline.sheet
        rows = {key: sheet.rows[key] for key in self.sides.reworded.keys if key in sheet.rows}
        return sides(sheet.origin, rows, baseline.companions, self.rules)

    def measured(self) -> Robustness:
        """Return the figures."""
        return measure(self.sides, self.found, self.asked["kinds"], self.asked["version"], self.rules.gate.alpha)


def sides(origin: Origin, originals: Mapping[str, Row], found: Mapping[str, Companion], rules: Thresholds) -> Sides:
    """Put the originals beside their companions; where there are none and should be, every score is missing.

    Args:
        origin: what the run was.
        originals: the scores of its evaluations.
        found: the companions that were stored.
        rules: the floors by which all of them pass or fail.
    """
    there = {key: row for key, row in originals.items() if not row.twin and _counts(found.get(key))}
    rows: dict[str, dict[str, Row]] = {"repeated": {}, "reworded": {}}
    for key, row in there.items():
        for side, into in rows.items():
            stored = getattr(found.get(key), side, None)
            into[key] = stored if stored is not None and _alike(row, stored) else _nothing(row)
    before = ScoreSheet(origin, there)
    pairs = {side: Pairs(before, ScoreSheet(origin, into), rules) for side, into in rows.items()}
    kinds = tuple(found[key].kind if key in found else UNKNOWN_KIND for key in pairs["reworded"].keys)
    return Sides(pairs["repeated"], pairs["reworded"], kinds)


def measure(
    sides: Sides, found: Mapping[str, Companion], kinds: Sequence[str], version: str, alpha: float
) -> Robustness:
    """Return the figures; intervals are clustered by guideline, at level 1 - 2 alpha.

    Args:
        sides: the evaluations, beside their companions.
        found: the companions that were stored, for what could not be reworded.
        kinds: those that the run asked for.
        version: of the rewriters.
        alpha: one-sided error rate.
    """
    every = np.ones(len(sides.kinds), dtype=np.bool_)
    alone = [_rewording(sides, kind, np.array(sides.kinds) == kind, alpha) for kind in kinds]
    adjusted = holm([item.test.p if item.test is not None else None for item in alone])
    return Robustness(
        kinds=tuple(kinds),
        version=version,
        unchanged=dict(Counter(item.kind for item in found.values() if item.reason)),
        whole=_rewording(sides, "", every, alpha),
        by_kind=tuple(_adjusted(item, p) for item, p in zip(alone, adjusted, strict=True)),
        any_of=_any_of(sides, kinds),
        flipped=tuple(_flipped(sides)),
    )


def _counts(companion: Companion | None) -> bool:
    """Tell whether an evaluation counts: its companions are there or missing, but not impossible."""
    return companion is None or not companion.reason


def _alike(row: Row, other: Row) -> bool:
    """Tell whether another run of an evaluation was planned as the original: else it is none of it."""
    plans = ((each.strategy, each.guideline, each.locale, len(each.turns)) for each in (row, other))
    return len(set(plans)) == 1


def _nothing(row: Row) -> Row:
    """Return the row of an evaluation that did not take place."""
    empty = (None,) * len(row.turns)
    return row._replace(turns=empty, judges=tuple(empty for _ in row.judges), status="not_evaluated", branch=None)


def _rewording(sides: Sides, kind: str, chosen: np.typing.NDArray[np.bool_], alpha: float) -> Rewording:
    net, again = sides.net.where(chosen), sides.repeated.passed().where(chosen)
    excess = Figure(_flips(again), _flips(net), net.guideline, net.stem, 1.0)
    there, back = (stats.counts(_known(figure.baseline), _known(figure.candidate)) for figure in (net, again))
    ends, span = (_reach(figure, alpha) for figure in (net, excess))
    level = 1 - 2 * alpha
    known = excess.known
    different = len(np.unique(net.stem[known]))
    found = Rewording(
        kind=kind,
        conversations=int(chosen.sum()),
        missing=int((~known).sum()),
        different=different,
        new_failures=there.new_failures,
        fixed=there.fixed,
        flips=stats.rate(excess.candidate.low[known], net.guideline[known], level),
        repeat_new_failures=back.new_failures,
        repeat_fixed=back.fixed,
        repeat_flips=stats.rate(excess.baseline.low[known], net.guideline[known], level),
        excess=interval(excess, alpha),
        net=interval(net, alpha),
        excess_low=span.low,
        excess_high=span.high,
        net_low=ends.low,
        net_high=ends.high,
        score=interval(sides.reworded.mean().where(chosen), alpha),
        test=stats.more_than_repeat(_known(excess.candidate), _known(excess.baseline), net.guideline) if kind else None,
    )
    return _silenced(found) if kind and different < LEAST_OF_A_KIND else found


def _reach(figure: Figure, alpha: float) -> Reach:
    return reach(figure, alpha).within(figure.span) if len(figure.stem) else Reach(None, None)


def _silenced(found: Rewording) -> Rewording:
    """Return a kind with its counts alone: of so few conversations nothing is said."""
    reason = f"only {found.different} conversations (at least {LEAST_OF_A_KIND} for a statement by kind)"
    shown = ("flips", "repeat_flips", "excess", "net", "score")
    bare = {name: Estimate(value=None, n=getattr(found, name).n, reason=reason) for name in shown}
    ends = dict.fromkeys(("excess_low", "excess_high", "net_low", "net_high", "test"))
    return found.model_copy(update={**bare, **ends, "reason": reason})


def _adjusted(found: Rewording, p: float | None) -> Rewording:
    if found.test is None:
        return found
    return found.model_copy(update={"test": found.test.model_copy(update={"p_adjusted": p, "adjustment": "Holm"})})


def _flips(figure: Figure) -> Side:
    """Return between what a flip lies: 1 for certain, 0 for certain, or open."""
    known = figure.known
    differ = np.abs(figure.candidate.low - figure.baseline.low) > SAME
    return Side(np.where(known & differ, 1.0, 0.0), np.where(known & ~differ, 0.0, 1.0))


def _known(side: Side) -> Floats:
    return np.where(np.abs(side.high - side.low) <= SAME, side.low, np.nan)


def _any_of(sides: Sides, kinds: Sequence[str]) -> AnyOf | None:
    """Count who fails under any kind, of the conversations that had all of them and as many repeats, all scored."""
    repeated, reworded = (1 - _known(pairs.passed().candidate) for pairs in sides[:2])
    of: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(sides.reworded.rows):
        of[row.case].append(index)
    had = [
        at
        for at in of.values()
        if sorted(sides.kinds[index] for index in at) == sorted(kinds)
        and not np.isnan([repeated[at], reworded[at]]).any()
    ]
    if len(kinds) < 2 or not had:
        return None
    fell, again = (int(sum(side[at].any() for at in had)) for side in (reworded, repeated))
    return AnyOf(runs=len(kinds), conversations=len(had), reworded=fell, repeated=again)


def _flipped(sides: Sides) -> Iterator[Flipped]:
    """Yield the conversations with another result, new failures first, those that the repeat kept before others."""
    difference = sides.net.difference
    again = _known(sides.repeated.passed().candidate)
    order = sorted(
        np.flatnonzero(np.abs(difference) > 0.5).tolist(),
        key=lambda index: (difference[index] > 0, again[index] == 0, sides.reworded.keys[index]),
    )
    for index in order:
        before, now = sides.reworded.before[index], sides.reworded.rows[index]
        yield Flipped(
            key=now.key,
            kind=sides.kinds[index],
            guideline=now.guideline,
            strategy=now.strategy,
            locale=now.locale,
            fails=bool(difference[index] < 0),
            repeat_fails=None if np.isnan(again[index]) else bool(again[index] < 0.5),
            original=before.turns,
            reworded=now.turns,
        )
