"""The tables of a sweep are read where nothing may be begun; one that is not there yet is no pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from jmedethic_pytest.core import files
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.launch import attempt, states, tables
from jmedethic_pytest.launch.attempt import Ending
from jmedethic_pytest.launch.states import UnitState
from jmedethic_pytest.launch.work import Work


def judged(work: Work) -> list[UnitState]:
    """Return the runs of a sweep as if each had been judged and passed."""
    return [
        replace(state, run=Path("runs", f"run-of-{state.unit.name}"), status=ExitStatus.PASS)
        for state in states.look(work, ())
    ]


def keep(work: Work, name: str, status: int, command: Sequence[str]) -> None:
    """Write what a command leaves that made a table."""
    folder = work.folder / "tables"
    ended = Ending(status=status, started="", ended="", host="", command=tuple(command))
    files.replace(attempt.beside(folder / f".{name}", ".json"), files.as_json(ended.model_dump(mode="json")))
    files.replace(folder / f"{name}.txt", "COMPARED\nworse\nand why\n")


def test_a_comparison_that_failed_counts_where_nothing_is_begun(planned: Callable[..., Work]) -> None:
    work = planned()
    found = judged(work)
    base, tuned = found
    board, compared = tables.made(work, found)
    assert [board.status, compared.status] == [6, 6], "not made yet, so it may turn out as anything"
    assert board.text == "not made yet: jmedethic sweep sweep.toml makes it"
    assert base.run is not None
    assert tuned.run is not None
    command = ["compare", tuned.run.name, base.run.name, f"--reports={work.plan.reports}"]
    keep(work, f"{tuned.unit.name}.compared", 1, command)
    compared = tables.made(work, found)[1]
    assert (compared.status, compared.lines) == (1, 2)
    assert states.worst([*(state.status for state in found), compared.status]) == ExitStatus.FAIL
    keep(work, f"{tuned.unit.name}.compared", 0, [*command, "--of=other-runs"])
    assert tables.made(work, found)[1].status == 6, "a table of other runs says nothing of these"
