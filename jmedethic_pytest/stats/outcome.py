"""A finished run, as reports see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jmedethic_pytest.records import Gate, RunInfo
from jmedethic_pytest.stats.comparison import Comparison
from jmedethic_pytest.stats.summary import Summary

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
