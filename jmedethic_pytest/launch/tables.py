"""The runs of a sweep side by side: a leaderboard of every suite and language, and comparisons with bases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.launch import attempt
from jmedethic_pytest.launch.attempt import Attempt
from jmedethic_pytest.launch.states import UnitState
from jmedethic_pytest.launch.work import Work


@dataclass(frozen=True)
class Table:
    """A text that a command made of judged runs."""

    path: Path
    text: str
    status: int
    """Exit status of the command."""
    lines: int | None = None
    """How many of its lines say what it comes to; all if ``None``."""
    missing: tuple[str, ...] = ()
    """Models that have no judged run, and are not in it."""


def make(work: Work, states: Sequence[UnitState]) -> list[Table]:
    """Make the leaderboards and comparisons of what is judged; what was made of the same runs is read.

    Raises:
        StoreError: if they cannot be written.
    """
    runs = {state.unit.name: state.run.name for state in states if state.run is not None}
    groups: dict[str, list[UnitState]] = defaultdict(list)
    for state in states:
        groups[state.unit.group].append(state)
    made = []
    for group, members in groups.items():
        found = [runs[state.unit.name] for state in members if state.unit.name in runs]
        bases = {state.unit.name: state.unit.base for state in members if state.unit.base is not None}
        bases = {name: base for name, base in bases.items() if base in runs and name in runs}
        if len(found) > 1:
            pairs = [f"--pair={runs[base]}:{runs[name]}" for name, base in bases.items()]
            missing = tuple(state.unit.model for state in members if state.run is None)
            table = _made(work, group, ["leaderboard", *found, *pairs])
            made.append(replace(table, missing=missing))
        for name, base in bases.items():
            table = _made(work, f"{name}.compared", ["compare", runs[name], runs[base]])
            made.append(replace(table, lines=2))
    return made


def _made(work: Work, name: str, command: list[str]) -> Table:
    """Run a command unless its answer is there; the text it printed is kept as a file."""
    place, path = work.folder / "tables" / f".{name}", work.folder / "tables" / f"{name}.txt"
    command = [*command, f"--reports={work.plan.reports}"]

    def done() -> bool:
        last = attempt.ending(place)
        return last is not None and last.command == tuple(command) and path.exists()

    begun = attempt.begin(place, command, work.home, done)
    if isinstance(begun, Attempt):
        begun.end()
        files.replace(path, attempt.printed(place))
    elif begun == "busy":
        raise StoreError(f"{path}: another process makes this table. Next: run this command again when it has ended.")
    last = attempt.ending(place)
    return Table(path, path.read_text(encoding="utf-8"), 6 if last is None else last.status)
