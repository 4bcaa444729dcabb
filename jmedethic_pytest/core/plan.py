"""A planned evaluation: a case, and which of its repetitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jmedethic_pytest.core.records import Case, Verdict, plan_key

__all__ = ["Job", "plan_key"]


class Job(NamedTuple):
    """One planned evaluation."""

    case_id: str
    cases: Mapping[str, Case]
    """Where the case is found."""
    repeat: int = 0

    @property
    def case(self) -> Case:
        """The case, read anew.

        Raises:
            ConfigError: if its file has changed.
        """
        return self.cases[self.case_id]

    def unevaluated(self, turns: int | None, detail: str = "") -> Verdict:
        """Return the verdict of an evaluation that did not take place.

        Args:
            turns: the most that were asked for, if that was limited.
            detail: why.
        """
        case = self.case
        planned = min(case.length, turns or case.length)
        return Verdict(case=case, repeat=self.repeat, status="skipped_budget", detail=detail, planned_turns=planned)
