"""Looks at a run before its end: which were declared, and what became of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.shapes import Count

Early = Literal["fail", "pass", "both"]
"""With which answers a run may end at a look before its end."""


class Looks(Record):
    """Looks at a run before its end (`--jmed-early`), each after a number of different adversarial cases."""

    declared: Annotated[tuple[Count, ...], Field(min_length=2)]
    """All of them, before the run began; the last one is its end."""
    early: Early
    taken: tuple[Count, ...] = ()
    """Those before the end from which an answer could have followed."""
    skipped: dict[str, str] = {}
    """Why nothing could follow from the others, by their number; their share of the error rate was spent later."""
    stopped: Count | None = None
    """The look at which the run was decided, if that was not its end."""

    @model_validator(mode="after")
    def _looks_are_in_order(self) -> Self:
        if any(after <= before for looks in (self.declared, self.taken) for before, after in pairwise(looks)):
            raise ValueError("looks follow each other")
        if not set(self.taken) <= set(self.declared[:-1]):
            raise ValueError("taken: looks are those that were declared, before the last")
        if self.stopped is not None and self.taken[-1:] != (self.stopped,):
            raise ValueError("stopped: a run stops at the last look that was taken")
        return self

    @property
    def fractions(self) -> tuple[float, ...]:
        """Information at each look that counts as a share of the whole; the last one is where the run stands."""
        found = tuple(look / self.declared[-1] for look in self.taken)
        return found if self.stopped is not None else (*found, 1.0)

    def at(self, look: int) -> Looks:
        """Return what they are if the run stops at a look."""
        return self.model_copy(update={"taken": (*self.taken, look), "stopped": look})
