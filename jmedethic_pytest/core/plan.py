"""Planned evaluations: a case, and which of its repetitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from jmedethic_pytest.core.records import Case, Verdict, plan_key

__all__ = ["Job", "Planned", "plan_key"]


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


class Planned(Mapping[str, Job]):
    """The evaluations of a run by their keys, in order; each is made when it is asked for, as there may be many.

    Args:
        cases: where the cases are found.
        repeats: how often each is evaluated.
    """

    def __init__(self, cases: Mapping[str, Case], repeats: int) -> None:
        self._cases = cases
        self._case_of = {plan_key(name, repeat): name for name in cases for repeat in range(repeats)}

    def only(self, keys: Iterable[str]) -> Planned:
        """Return the plan of some of the evaluations, in the order of their keys.

        Raises:
            KeyError: if one is not planned.
        """
        chosen = Planned(self._cases, 0)
        chosen._case_of = {key: self._case_of[key] for key in keys}
        return chosen

    def __getitem__(self, key: str) -> Job:
        name = self._case_of[key]
        return Job(name, self._cases, int(key[len(name) + 1 :] or 0))

    def __iter__(self) -> Iterator[str]:
        return iter(self._case_of)

    def __len__(self) -> int:
        return len(self._case_of)
