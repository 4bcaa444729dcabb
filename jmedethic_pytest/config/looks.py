"""The looks of `[gate.baseline]`: after how many cases a run may be decided before its end."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

MOST = 10
"""Looks; more of them save next to nothing, and each costs a pause."""
Look = Annotated[int, Field(strict=True, ge=1)]


def _declared(looks: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse looks that are not a way through a run.

    Raises:
        ValueError: saying how.
    """
    if looks and not 2 <= len(looks) <= MOST:
        raise ValueError(f"give from 2 to {MOST} looks, the last one at the end of the run")
    if any(after <= before for before, after in pairwise(looks)):
        raise ValueError("looks are numbers of cases, each larger than the one before")
    return looks


Looks = Annotated[tuple[Look, ...], AfterValidator(_declared), Field(exclude_if=lambda looks: not looks)]
