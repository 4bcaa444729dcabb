"""Where a sweep stands: every run's steps, its answer, and why what failed did, from files alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Answer, Gate
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.launch import attempt
from jmedethic_pytest.launch.plan import Step, Unit
from jmedethic_pytest.launch.work import Work
from jmedethic_pytest.store import runs as run_files

State = Literal["done", "running", "failed", "waiting"]
_LONGEST = 300


@dataclass(frozen=True)
class Failure:
    """A step without its result."""

    step: Step
    reason: str
    log: Path


@dataclass(frozen=True)
class UnitState:
    """Where one run of the sweep stands."""

    unit: Unit
    states: dict[Step, State]
    run: Path | None
    """The judged run."""
    answer: Answer | None
    """Of its gate; ``None`` without one."""
    status: ExitStatus
    """What it comes to."""
    failures: tuple[Failure, ...]

    def count(self, state: State, does: str) -> int:
        """Return how many of its steps of a kind are in a state."""
        return sum(found == state for step, found in self.states.items() if step.does == does)


def look(work: Work, running: Collection[Step], word: Callable[[Step], str] = lambda _: "") -> list[UnitState]:
    """Return where every run of a sweep stands.

    Args:
        work: the sweep.
        running: steps that are known to be at work.
        word: what their launcher knows of how a step ended.
    """
    return [_unit(work, unit, running, word) for unit in work.plan.units]


def _unit(work: Work, unit: Unit, running: Collection[Step], word: Callable[[Step], str]) -> UnitState:
    states = {step: _state(work, step, running, word) for step in unit.steps}
    run = work.results.of(unit.steps[-1])
    return UnitState(
        unit=unit,
        states=states,
        run=run,
        answer=None if run is None else _answer(run),
        status=_status(work, run, unit),
        failures=tuple(
            Failure(step, reason(work, step, word(step)), attempt.beside(work.place(step), ".log"))
            for step, state in states.items()
            if state == "failed"
        ),
    )


def _state(work: Work, step: Step, running: Collection[Step], word: Callable[[Step], str]) -> State:
    if work.done(step):
        return "done"
    place = work.place(step)
    if step in running or attempt.is_taken(place):
        return "running"
    begun = attempt.beside(place, ".lock").exists() or bool(word(step))
    return "failed" if begun and work.ready(step) else "waiting"


def _answer(run: Path) -> Answer | None:
    try:
        return Gate.model_validate_json(files.read(run / "gate.json")).answer
    except (OSError, ValidationError):
        return None


def reason(work: Work, step: Step, word: str = "") -> str:
    """Return why a step has no result, in one line: what its run says, its log, how its process ended."""
    lines = attempt.printed(work.place(step)).splitlines()
    told = [*_of_run(work, step), *(line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: "))]
    ending = attempt.ending(work.place(step))
    if ending is not None and ending.status < 0:
        told.append(f"killed by signal {-ending.status}")
    elif ending is not None and not told:
        told.append(f"ended with status {ending.status} and without a result")
    if word:
        told.append(word)
    return "; ".join(dict.fromkeys(told))[:_LONGEST] or "killed, together with whoever watched it"


def _of_run(work: Work, step: Step) -> Iterator[str]:
    """Yield what the newest unfinished run of a part says of itself."""
    if step.does != "collect":
        return
    for path in reversed(run_files.runs(work.home / work.plan.collection(step))):
        try:
            info = run_files.read_info(path)
        except StoreError as error:
            yield str(error)
            return
        if info.note and info.status != "complete":
            yield info.note
        return


def _status(work: Work, run: Path | None, unit: Unit) -> ExitStatus:
    """Return what a run of the sweep comes to; without an answer it is inconclusive, and never passes."""
    if run is None:
        last = [attempt.ending(work.place(step)) for step in unit.steps if not work.done(step)]
        spent = any(ending is not None and ending.status == ExitStatus.BUDGET for ending in last)
        return ExitStatus.BUDGET if spent else ExitStatus.INCONCLUSIVE
    answer = _answer(run)
    if answer == "pass" and "--strict" in work.plan.judge:
        from jmedethic_pytest.gate.outcome import load

        return load(run).exit_status(strict=True)
    return ExitStatus.of(answer or "inconclusive")


def worst(statuses: Iterable[int]) -> ExitStatus:
    """Return the worst exit status: fail, budget spent, inconclusive, pass. Any other tells nothing: inconclusive."""
    found = set(statuses)
    if not found:
        return ExitStatus.INCONCLUSIVE
    known = [status for status in (ExitStatus.FAIL, ExitStatus.BUDGET) if status in found]
    return next(iter(known), ExitStatus.PASS if found == {0} else ExitStatus.INCONCLUSIVE)
