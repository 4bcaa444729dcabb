"""A part of a run that was divided among machines, and the run that is made of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from jmedethic_pytest.core.records import Record

MOST = 10_000
"""Parts of a run at most."""


@dataclass(frozen=True)
class Part:
    """Which part of how many was asked for."""

    number: int
    """From 1."""
    count: int

    def __str__(self) -> str:
        """Return it as it is given: ``2/4``."""
        return f"{self.number}/{self.count}"


class Shard(Record):
    """What the run is that this one is a part of."""

    number: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1, le=MOST)]
    cases: str
    """sha256 of all cases of the whole run."""
    evaluations: Annotated[int, Field(ge=1)]
    """Those that belong to this part, whether or not they took place."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.number > self.count:
            raise ValueError(f"part {self.number} of {self.count}")
        return self

    def __str__(self) -> str:
        """Return it as it was asked for: ``2/4``."""
        return str(Part(self.number, self.count))


class MergedOf(Record):
    """One of the shards of a merged run."""

    run: str
    shard: str
    """As ``2/4``."""
    verdicts: str
    """sha256 of its ``verdicts.jsonl``."""
