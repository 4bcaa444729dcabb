"""What the gate decides on: a run's figures, each in the form a condition wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.analysis.summary import Summary
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import Answer, Cause, Condition
from jmedethic_pytest.core.scores import SLACK

NOT_MEASURED: Cause = "could not be measured"
TOO_FEW: Cause = "too few cases to tell"
WORSE: Cause = "worse in named places, not proven overall"


@dataclass(frozen=True)
class Figures:
    """A run as its conditions see it."""

    table: ScoreTable
    """Its scores."""
    summary: Summary
    """The same, summarised."""
    case_turns: int
    """User turns the longest selected case has."""
    turns: int | None
    """How many the run was told to use, ``None`` for all."""
    simulated_judges: bool
    """Whether any judge is a demo simulation."""
    simulated_target: bool
    """Whether the target is one; only then may simulated judges let a run pass."""
    aborted: str | None = None
    """Why the run was given up, if it was."""
    comparisons: Sequence[Comparison] = ()
    """The run against each of its baselines; all of them must hold."""
    doubts: Sequence[Condition] = ()
    """What speaks against the run as a measurement, beside its scores."""

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row per adversarial evaluation and turn (see :meth:`ScoreTable.frame`)."""
        rows = self.table.frame()
        return rows[~rows["twin"].astype(bool)]

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row per adversarial evaluation (see :meth:`ScoreTable.cases`)."""
        cases = self.table.cases()
        return cases[~cases["twin"].astype(bool)]


def between(worst: float, best: float, limit: float) -> Answer:
    """Return the answer for a figure that must not be below its limit, and lies between two others."""
    if worst >= limit - SLACK:
        return "pass"
    return "fail" if best < limit - SLACK else "inconclusive"
