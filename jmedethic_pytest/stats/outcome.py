"""A finished run, as reports see it: computed when it ends, or again from what is stored, by the same function."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from jmedethic_pytest import store
from jmedethic_pytest.errors import StoreError
from jmedethic_pytest.records import Gate, RunInfo, Verdict
from jmedethic_pytest.stats.comparison import Comparison
from jmedethic_pytest.stats.gate import decide
from jmedethic_pytest.stats.summary import Summary, summarise
from jmedethic_pytest.stats.table import ScoreTable
from jmedethic_pytest.thresholds import Thresholds

EXIT_PASS, EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_BUDGET = 0, 1, 6, 7
"""Exit statuses of a decided run; 2-5 are pytest's own."""


@dataclass(frozen=True)
class Outcome:
    """A finished run: where it is stored and what it says."""

    path: Path
    info: RunInfo
    summary: Summary
    gate: Gate
    comparisons: tuple[Comparison, ...] = ()
    """The run against each of its baselines, in their order."""

    def exit_status(self, *, strict: bool) -> int:
        """Return 0: pass, 1: fail (with ``strict`` also for any failed case), 6: inconclusive, 7: budget spent."""
        if self.info.stopped_by_budget:
            return EXIT_BUDGET
        if self.gate.answer == "fail" or (strict and (self.summary.failed or self.summary.failed_twins)):
            return EXIT_FAIL
        return EXIT_PASS if self.gate.answer == "pass" else EXIT_INCONCLUSIVE


def conclude(
    table: ScoreTable,
    info: RunInfo,
    rules: Thresholds,
    *,
    case_turns: int,
    trouble: str | None,
) -> tuple[Summary, Gate]:
    """Compute the figures of a run and decide its gate.

    Args:
        table: the run's scores, with a row for every planned turn, evaluated or not.
        info: what the run was: target, judges, selection, and how many evaluations it was asked for.
        rules: the thresholds to apply.
        case_turns: user turns the longest selected case has.
        trouble: why the run did not come to its proper end, if it did not.
    """
    summary = summarise(table, selected=info.selected, contested=rules.judges.contested)
    gate = decide(
        table,
        summary,
        rules.gate,
        case_turns=case_turns,
        turns=info.selection.get("turns"),
        simulated_judges=any(judge["kind"] == "demo" for judge in info.judges),
        simulated_target=info.target["kind"] == "demo",
        aborted=trouble,
    )
    return summary, gate


def load(path: Path, *, rules: Thresholds | None = None) -> Outcome:
    """Compute a stored run's outcome again.

    Args:
        path: the run's folder.
        rules: thresholds to apply instead of those the run was made with.

    Raises:
        StoreError: if the run cannot be read, or does not hold its thresholds and none are given.
    """
    info = store.read_info(path)
    applied = rules or stored_rules(path, info)
    table, case_turns = ScoreTable(), 0
    for verdict in store.read_verdicts(path):
        table.add(_judged_again(verdict, rules) if rules else verdict)
        case_turns = max(case_turns, len(verdict.case.turns))
    for verdict in store.read_unevaluated(path):
        table.add_unevaluated(verdict)
        case_turns = max(case_turns, len(verdict.case.turns))
    info = info.model_copy(update={"selected": max(info.selected, len(table.known()))})
    trouble = None if info.status == "complete" else info.note or f"the run is {info.status}"
    summary, gate = conclude(table, info, applied, case_turns=case_turns, trouble=trouble)
    return Outcome(path=path, info=info, summary=summary, gate=gate)


def stored_rules(path: Path, info: RunInfo) -> Thresholds:
    """Return the thresholds a run was made with.

    Raises:
        StoreError: if ``run.json`` does not hold them.
    """
    try:
        return Thresholds.model_validate(info.thresholds)
    except ValidationError:
        known = "holds no thresholds this version can read" if info.thresholds else "holds no thresholds"
        raise StoreError(f"{path / 'run.json'}: {known}. Give a thresholds file (--thresholds).") from None


def _judged_again(verdict: Verdict, rules: Thresholds) -> Verdict:
    """Return the verdict with the floors of other thresholds."""
    return verdict.model_copy(update={"violations": rules.violations(verdict.case.strategy, verdict.turns)})
