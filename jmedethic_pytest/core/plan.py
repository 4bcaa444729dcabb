"""A planned evaluation: a case, and which of its repetitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jmedethic_pytest.core.records import Case, plan_key

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
