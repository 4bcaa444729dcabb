"""The work of a sweep: its steps, what each needs and where it leaves its traces. Launchers know no more of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.launch import attempt
from jmedethic_pytest.launch.attempt import Attempt
from jmedethic_pytest.launch.plan import Plan, Step
from jmedethic_pytest.launch.results import Results


class Launcher(Protocol):
    """Whoever carries out steps: processes of this machine, a queue of jobs, a cluster."""

    def start(self, steps: Sequence[Step]) -> None:
        """Begin steps, or have them begun as soon as there is room.

        Raises:
            JmedError: if that cannot be done at all.
        """

    def running(self) -> set[Step]:
        """Return those that were begun, or wait for room, and have not ended."""

    def word(self, step: Step, /) -> str:
        """Return what it knows of how a step ended beyond what stands in its files; empty if nothing."""

    def close(self) -> None:
        """End what would otherwise be left behind by this process."""


class Work:
    """The steps of a sweep.

    Args:
        plan: the sweep.
        file: its ``sweep.toml``, as jobs name it; its folder is where all of them work.
    """

    def __init__(self, plan: Plan, file: Path) -> None:
        self.plan = plan
        self.file = file.parent.resolve() / file.name  # where it is called so, and not where a link leads
        self.home = self.file.parent
        self.folder = self.home / plan.folder
        """Where the sweep keeps its own."""
        self.results = Results(plan, self.home)

    def done(self, step: Step) -> bool:
        """Tell whether a step's result is there."""
        return self.results.of(step) is not None

    def ready(self, step: Step) -> bool:
        """Tell whether everything is there that a step needs."""
        return self.results.command(step) is not None

    def place(self, step: Step) -> Path:
        """Return the files of a step (log, lock, ending), but for their endings."""
        return self.folder / "steps" / step.unit / (f"collect-{step.shard}" if step.shard else step.does)

    def begin(self, step: Step) -> Attempt | Literal["done", "busy"]:
        """Begin a step (:func:`jmedethic_pytest.launch.attempt.begin`).

        Raises:
            StoreError: if its files cannot be written, or what it needs is not there.
        """
        command = self.results.command(step)
        if command is None:
            raise StoreError(f"step {step}: what it needs is not there yet: the steps before it come first.")
        return attempt.begin(self.place(step), command, self.home, lambda: self.done(step))
