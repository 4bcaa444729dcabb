"""A run decided suite by suite: each as a run of its own would be, by the scores, and baselines' scores, of its cases.

Whether the judges can be believed, and whatever else is doubted of the run as a measurement, is said once and counts
for all its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.analysis.summary import summarise
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.config.tiers import figure_of
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import joined, say
from jmedethic_pytest.gate import looks
from jmedethic_pytest.gate.conditions import decide
from jmedethic_pytest.gate.figures import NOT_MEASURED, Figures
from jmedethic_pytest.gate.parts import Part, Place, parts
from jmedethic_pytest.gate.tiers import Found
from jmedethic_pytest.stats.drift import Shift
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet

_OF_THE_RUN = ("turns", "real judges")
"""Conditions that are the same for every part, beside the doubts."""
_OF_TWINS = ("judges", "over_refusal", "baseline.over_refusal")
"""What is asked of a suite of twins alone: their scores say little of a model, and of its judges."""


@dataclass(frozen=True)
class Whole:
    """A run, and what its parts have in common."""

    figures: Figures
    """Of all its cases."""
    info: RunInfo
    rules: Thresholds
    places: Mapping[str, Place]
    """Where each of its evaluations belongs."""
    baselines: tuple[Baseline, ...] = ()
    drift: Callable[[Baseline], Mapping[str, Shift]] = lambda _: {}
    """By how much judges have shifted since a baseline."""
    lost: tuple[Comparison, ...] = ()
    """Comparisons that cannot be made."""
    held: frozenset[str] = frozenset()
    """Evaluations that other runs of the same decision hold."""


def found(whole: Whole) -> list[Found]:
    """Return what each part of a run comes to."""
    policy = whole.rules.policy
    named = () if policy is None else (*policy.critical, *policy.supporting, *policy.advisory)
    return [_found(part, whole) for part in parts(whole.places, whole.info.selection.get("suite"), named)]


def _found(part: Part, whole: Whole) -> Found:
    twins_only = all(whole.places[key].twin for key in part.keys)
    # Judges who score harmless requests alone show nothing of themselves: beside twins stand the run's other cases.
    others = {key for key, place in whole.places.items() if twins_only and not place.twin}
    figures = _figures(part.keys | others, whole)
    conditions = decide(figures, looks.at(whole.rules, whole.info.fractions).gate).conditions
    common = {*_OF_THE_RUN, *(doubt.name for doubt in whole.figures.doubts)}
    own = [item for item in conditions if item.name not in common]
    if twins_only:
        kept = [item for item in own if figure_of(item.name) in _OF_TWINS or _is_obstacle(item)]
        own = [*_counts(_figures(part.keys, whole), whole.rules), *kept]
    shared = (*_lost(whole), *(item for item in conditions if item.name in common))
    return Found(part.name, whole.info.id, (*_kinds(whole.info), *own), shared)


def _is_obstacle(condition: Condition) -> bool:
    return condition.name.startswith("baseline[") and condition.name.endswith("]") and "]." not in condition.name


def _figures(keys: Collection[str], whole: Whole) -> Figures:
    """Return the figures of some of a run's evaluations."""
    table, info, rules = whole.figures.table.only(keys), whole.info, whole.rules
    summary = summarise(table, selected=len(keys), contested=rules.judges.contested)
    comparisons = whole.lost
    if whole.baselines:
        sheet = looks.whole(table.sheet(info), info)
        beside = (_without(each, whole.held.union(whole.places) - set(keys)) for each in whole.baselines)
        made = (compare(each, sheet, rules, info.words, whole.drift(each), info.fractions) for each in beside)
        comparisons = (*made, *whole.lost)
    robust = None if whole.figures.robust is None else whole.figures.robust.only(keys)
    return replace(whole.figures, table=table, summary=summary, comparisons=comparisons, robust=robust)


def _without(baseline: Baseline, elsewhere: Collection[str]) -> Baseline:
    """Return a baseline without the evaluations that are held against it elsewhere: here they are not left out."""
    rows = {key: row for key, row in baseline.sheet.rows.items() if key not in elsewhere}
    return replace(baseline, sheet=ScoreSheet(baseline.sheet.origin, rows))


def _counts(twins: Figures, rules: Thresholds) -> Iterator[Condition]:
    """Ask of a suite of twins that all were evaluated, and enough were judged."""
    summary, least = twins.summary, rules.gate.min_cases
    left = summary.selected - summary.finished or twins.aborted
    detail = say("complete.twins", finished=summary.finished, selected=summary.selected)
    yield Condition(
        name="complete",
        answer="inconclusive" if left else "pass",
        observed=summary.finished,
        limit=summary.selected,
        detail=joined([detail, say("complete.aborted")]) if twins.aborted else detail,
        cause=NOT_MEASURED if left else None,
    )
    judged = summary.twins_judged
    yield Condition(
        name="cases",
        answer="pass" if judged >= least else "inconclusive",
        observed=judged,
        limit=least,
        detail=say("cases.twins", judged=judged, least=least),
        cause=None if judged >= least else NOT_MEASURED,
    )


def _lost(whole: Whole) -> Iterator[Condition]:
    """Doubt a run of which evaluations are gone that it was asked for: no part can say whose they were."""
    selected, there = whole.figures.summary.selected, len(whole.places)
    if there < selected:
        detail = say("complete.lost", lost=selected - there, selected=selected)
        yield Condition.inconclusive("complete", detail, observed=there, limit=selected, cause=NOT_MEASURED)


def _kinds(info: RunInfo) -> Iterator[Condition]:
    """Doubt a part of which only some strategies, guidelines or tests were asked for."""
    chosen = (*info.selection.get("strategies", ()), *info.selection.get("guidelines", ()))
    told = [say("whole.chosen", chosen=", ".join(chosen))] if chosen else []
    if info.unasked:
        told.append(say("whole.unasked", count=info.unasked))
    if told:
        detail = say("whole", why=joined(told))
        yield Condition.inconclusive("whole", detail, cause=NOT_MEASURED)
