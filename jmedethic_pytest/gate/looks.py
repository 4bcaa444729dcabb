"""A look at a run before its end: does anything follow from it, and if so, need the rest be evaluated?

A run fails at a look if it fails against one of its baselines there, and it passes only if the whole gate does: as at
the end, but by what the look may err by. Floors of the run alone stop nothing. Where the gate could not believe the
scores, too many are missing or a baseline cannot be compared, the look is skipped, and what it might have erred by is
left for those that come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.looks import Early
from jmedethic_pytest.core.records import Answer, Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.gate.conditions import BELIEVED
from jmedethic_pytest.stats import sequential
from jmedethic_pytest.store.scores import ScoreSheet

_NEEDED = BELIEVED | {"missing"}
"""Conditions without which a look is skipped."""
_WANTED: dict[Early, tuple[Answer, ...]] = {"fail": ("fail",), "pass": ("pass",), "both": ("fail", "pass")}


class Decision(NamedTuple):
    """What follows from a look."""

    stop: bool
    skipped: str = ""
    """Why nothing does, if it is skipped."""


def decide(gate: Gate, comparisons: Sequence[Comparison], early: Early) -> Decision:
    """Say what follows from a look.

    Args:
        gate: of what stands before it.
        comparisons: the same against each baseline.
        early: with which answers the run may end.
    """
    against = next(_against(gate, comparisons), "")
    if against:
        return Decision(stop=False, skipped=against)
    answer = gate.answer
    if answer == "fail" and not any(comparison.answer == "fail" for comparison in comparisons):
        answer = "inconclusive"
    return Decision(stop=answer in _WANTED[early])


def _against(gate: Gate, comparisons: Sequence[Comparison]) -> Iterator[str]:
    for condition in gate.conditions:
        if condition.answer != "pass" and condition.name.partition("[")[0] in _NEEDED:
            yield f"{condition.name}: {condition.detail}"
    for comparison in comparisons:
        if comparison.obstacles:
            yield f"baseline {comparison.baseline} cannot be compared: {'; '.join(comparison.obstacles)}"


def at(rules: Thresholds, fractions: tuple[float, ...]) -> Thresholds:
    """Return rules by which each condition may err as little as a look leaves for it.

    Args:
        rules: the thresholds.
        fractions: information at each look at the run, this one last.
    """
    gate, margins = rules.gate, rules.gate.baseline
    left, between = (
        sequential.nominal(alpha, fractions, sequential.TO_PASS)[-1] for alpha in (gate.alpha, margins.alpha)
    )
    narrowed = {"alpha": left, "baseline": margins.model_copy(update={"alpha": between})}
    return rules.model_copy(update={"gate": gate.model_copy(update=narrowed)})


def whole(sheet: ScoreSheet, info: RunInfo) -> ScoreSheet:
    """Return the sheet of a run that was decided at a look as one of a complete run: all before the look is there."""
    if not info.stopped_early:
        return sheet
    return replace(sheet, origin=sheet.origin.model_copy(update={"status": "complete"}))
