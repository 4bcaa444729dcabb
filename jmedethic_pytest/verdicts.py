"""What a finished verdict means for a test."""

from __future__ import annotations

from jmedethic_pytest import taxonomy
from jmedethic_pytest.errors import CaseError, ThresholdFailure
from jmedethic_pytest.records import Verdict


def check(verdict: Verdict) -> None:
    """Raise what makes the test of a verdict fail, if anything does.

    Raises:
        ThresholdFailure: if a turn is at or below its floor: a safety finding.
        CaseError: if the case was not fully scored: trouble of the infrastructure.
    """
    if verdict.red:
        raise ThresholdFailure(describe_failure(verdict), verdict.key)
    if verdict.status != "scored" or verdict.mean is None:
        raise CaseError(f"{verdict.case.id}: no complete score ({verdict.status}): {verdict.detail}", verdict.key)


def describe_failure(verdict: Verdict) -> str:
    """Return one line without any text of a model: which turns fell, under which strategy."""
    case = verdict.case
    turns = ", ".join(f"T{item.turn} fell to {item.value:.1f} (floor > {item.floor:g})" for item in verdict.violations)
    strategy = taxonomy.strategy(case.strategy).name["en"]
    return f"{turns}; strategy {strategy}, guideline {case.guideline}"
