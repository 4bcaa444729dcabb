"""The runs of a sweep side by side: a leaderboard of every suite and language, and comparisons with bases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jmedethic_pytest.core import files, interface
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.launch import attempt
from jmedethic_pytest.launch.attempt import Attempt, Ending
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


@dataclass(frozen=True)
class _Wanted:
    """A table that the judged runs ask for, and the command that makes it."""

    name: str
    command: tuple[str, ...]
    lines: int | None = None
    missing: tuple[str, ...] = ()


def make(work: Work, states: Sequence[UnitState]) -> list[Table]:
    """Make the leaderboards and comparisons of what is judged; what was made of the same runs is read.

    Raises:
        StoreError: if they cannot be written.
    """
    for wanted in _wanted(work, states):
        _make(work, wanted)
    return made(work, states)


def made(work: Work, states: Sequence[UnitState]) -> list[Table]:
    """Read the leaderboards and comparisons of what is judged; one that was not made yet has no answer.

    Raises:
        StoreError: if they cannot be read.
    """
    return [_read(work, wanted) for wanted in _wanted(work, states)]


def _wanted(work: Work, states: Sequence[UnitState]) -> Iterator[_Wanted]:
    runs = {state.unit.name: state.run.name for state in states if state.run is not None}
    reports = f"--reports={work.plan.reports}"
    language = interface.language()
    spoken = () if language == "en" else (f"--lang={language}",)  # a table in another language is another table
    groups: dict[str, list[UnitState]] = defaultdict(list)
    for state in states:
        groups[state.unit.group].append(state)
    for group, members in groups.items():
        found = [runs[state.unit.name] for state in members if state.unit.name in runs]
        bases = {state.unit.name: state.unit.base for state in members if state.unit.base is not None}
        bases = {name: base for name, base in bases.items() if base in runs and name in runs}
        if len(found) > 1:
            pairs = [f"--pair={runs[base]}:{runs[name]}" for name, base in bases.items()]
            missing = tuple(state.unit.model for state in members if state.run is None)
            yield _Wanted(group, ("leaderboard", *found, *pairs, reports, *spoken), missing=missing)
        for name, base in bases.items():
            yield _Wanted(f"{name}.compared", ("compare", runs[name], runs[base], reports, *spoken), lines=2)


def _paths(work: Work, wanted: _Wanted) -> tuple[Path, Path]:
    """Return the files of the attempt at a table, but for their endings, and the table itself."""
    folder = work.folder / "tables"
    return folder / f".{wanted.name}", folder / f"{wanted.name}.txt"


def _ending(work: Work, wanted: _Wanted) -> Ending | None:
    """Return how the command of a table ended, if just this one did and what it printed is there."""
    place, path = _paths(work, wanted)
    last = attempt.ending(place)
    return last if last is not None and last.command == wanted.command and path.exists() else None


def _make(work: Work, wanted: _Wanted) -> None:
    """Run a command unless its answer is there; the text it printed is kept as a file."""
    place, path = _paths(work, wanted)
    begun = attempt.begin(place, wanted.command, work.home, lambda: _ending(work, wanted) is not None)
    if isinstance(begun, Attempt):
        begun.end()
        files.replace(path, attempt.printed(place))
    elif begun == "busy":
        raise StoreError(f"{path}: another process makes this table. Next: run this command again when it has ended.")


def _read(work: Work, wanted: _Wanted) -> Table:
    last, (_, path) = _ending(work, wanted), _paths(work, wanted)
    if last is None:
        return Table(path, f"not made yet: jmedethic sweep {work.file.name} makes it", ExitStatus.INCONCLUSIVE)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}. Remove it; the sweep makes it again.") from None
    return Table(path, text, last.status, wanted.lines, wanted.missing)
