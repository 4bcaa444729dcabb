"""What the chain and the command line know about a stage: its models, its plan, and how it is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress
from jmedethic_pytest.generation.machinery.models import Team


class Asked(NamedTuple):
    """Calls a stage will make in one role, over all its models together, and the tokens of one call."""

    role: str
    calls: int
    input_tokens: int
    output_tokens: int


class Plan(NamedTuple):
    """What a stage will ask for, and how many records it is expected to keep."""

    asked: tuple[Asked, ...]
    kept: int


class Stage(NamedTuple):
    """One stage of the chain. Every module with a stage has one as ``STAGE``."""

    name: str
    """Its command, and the name of the file whose records the next stage reads."""
    roles: Callable[[Config], tuple[str, ...]]
    """Roles it needs, under these settings."""
    plan: Callable[[Config, Mapping[str, int]], Plan]
    """Plans it from the settings and the number of records of each earlier stage (``guidelines`` included)."""
    run: Callable[[Config, Team, Progress], Awaitable[tuple[Summary, ...]]]
    """Runs it, or what is left of it; returns the summaries of the files it wrote, its own last."""
    files: tuple[str, ...] = ()
    """Names of all files it writes, in order, if there are others than ``name``."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the files it writes."""
        return self.files or (self.name,)
