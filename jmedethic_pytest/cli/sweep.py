"""``jmedethic sweep``: many models, suites and languages, collected by whatever runs jobs, judged here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table as Grid
from typer.core import TyperGroup

from jmedethic_pytest.cli.app import AsJson, Commands, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.sentences import joined
from jmedethic_pytest.core.sentences import say as told
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.gate import names
from jmedethic_pytest.launch import kubernetes, launchers, plan, states, sweep_file, tables
from jmedethic_pytest.launch.driving import drive
from jmedethic_pytest.launch.local import Local, carry_out
from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.states import Failure, UnitState
from jmedethic_pytest.launch.sweep_file import Sweep
from jmedethic_pytest.launch.work import Work
from jmedethic_pytest.run import signals

_MANIFESTS = "print-k8s"
_DOES = ("collect", "merge", "judge")
_ON = (*launchers.NAMES, _MANIFESTS)


class _RunsByDefault(TyperGroup):
    """Takes a file where the name of a command could stand: ``jmedethic sweep sweep.toml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in that nobody writes."""
        given = [*args]
        if given and given[0] not in {*self.commands, "--help"}:
            given.insert(0, "run")
        return super().parse_args(ctx, given)


sweep_app = Commands(
    name="sweep",
    cls=_RunsByDefault,
    help="Evaluate many models: collect their replies here or on a cluster, merge, judge, compare.",
    no_args_is_help=True,
)
app.add_typer(sweep_app, name="sweep")

File = Annotated[Path, typer.Argument(metavar="SWEEP.TOML", help="Models, suites, languages, shards")]
Replan = Annotated[bool, typer.Option("--replan", help="Plan anew after the file changed; what is the same stays done")]


@sweep_app.command("run")
def run(
    file: File,
    on: Annotated[
        str, typer.Option("--on", metavar="|".join(_ON), help="Who collects the replies; or print manifests")
    ] = "local",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Collections at the same time, with --on=local")] = 1,
    collect: Annotated[
        bool, typer.Option("--collect/--no-collect", help="Collect, or only merge, judge and compare what is there")
    ] = True,
    replan: Replan = False,
    as_json: AsJson = False,
) -> None:
    """Carry a sweep out, or go on with it. Exit status: the worst of all its runs; 6 while one has no answer.

    Every step is done once: the same command goes on wherever the one before ended. Merging and judging take place
    here, one run after the other.
    """
    if on not in _ON:
        raise ConfigError(unknown("--on", on, _ON))
    if on == _MANIFESTS:
        sweep = sweep_file.load(file)
        out.file.write(kubernetes.manifests(sweep, Work(plan.made(sweep), file)))
        return
    sweep, work = _opened(file, replan=replan)
    signals.stop_on_sigterm()
    steps = [step for unit in work.plan.units for step in unit.steps if collect or step.does != "collect"]
    collecting = launchers.opened(on, sweep, work, jobs)
    try:
        drive(work, steps, collecting, Local(work, 1), partial(_progress, work))
    except KeyboardInterrupt:
        err.print(told("sweep.stopped"))
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    found = states.look(work, (), collecting.word)
    _end(found, tables.make(work, found), as_json=as_json)


@sweep_app.command("status")
def status(file: File, as_json: AsJson = False) -> None:
    """Show where a sweep stands, and why what failed did; nothing is begun. Exit status: as that of the sweep."""
    sweep, work = _opened(file)
    queue = launchers.queue(sweep, work)
    found = states.look(work, queue.running(), queue.word) if queue is not None else states.look(work, ())
    _end(found, tables.made(work, found), as_json=as_json)


@sweep_app.command("step")
def step(
    file: File, name: Annotated[str, typer.Argument(metavar="STEP", help="RUN/1 for the first part of a run, ...")]
) -> None:
    """Take one step: what jobs of a cluster call. Exit status 0 if its result is there, else that of the step."""
    _, work = _opened(file)
    chosen = work.plan.step(name)
    ended = carry_out(work, chosen, lambda: err.print(f"step {chosen}: another process is at it; waiting for it"))
    if ended:
        err.print(f"ERROR: step {chosen}: {states.reason(work, chosen)}")
    raise typer.Exit(ended)


def _opened(file: Path, *, replan: bool = False) -> tuple[Sweep, Work]:
    sweep = sweep_file.load(file)
    return sweep, Work(plan.settled(plan.made(sweep), file.parent.resolve(), replan=replan), file)


def _progress(work: Work, running: set[Step]) -> None:
    """Print where a sweep stands, in one line."""
    steps = [step for unit in work.plan.units for step in unit.steps]
    parts = []
    for does in _DOES:
        of = [step for step in steps if step.does == does]
        parts.append(told(f"sweep.{does}", done=sum(map(work.done, of)), all=len(of)))
    err.print(told("sweep.progress", parts=joined(parts, en=", ", ja="、"), running=len(running)))


def _end(found: Sequence[UnitState], made: Sequence[tables.Table], *, as_json: bool) -> NoReturn:
    """Tell what a sweep comes to, and end the command with its worst answer."""
    worst = states.worst([*(state.status for state in found), *(table.status for table in made)])
    if as_json:
        out.print_json(json.dumps(_record(found, made), ensure_ascii=False))
    else:
        _tell(found, made)
        spent = worst == ExitStatus.BUDGET
        out.print(told("sweep.budget") if spent else told("gate.line", answer=names.loud(worst.name.lower())))
    raise typer.Exit(worst)


def _tell(found: Sequence[UnitState], made: Sequence[tables.Table]) -> None:
    heads = ("list.model", "sweep.suites", "sweep.collected", "sweep.merged", "sweep.judged", "column.answer")
    grid = Grid(*(shown(told(head)) for head in heads), box=None, header_style="bold")
    for state in found:
        grid.add_row(*map(shown, _row(state)))
    out.print(grid)
    for table in made:
        out.print("")
        out.print(f"{table.path}:")
        say(table.text.splitlines()[: table.lines])
        say([told("sweep.not_in", models=", ".join(table.missing))] if table.missing else [])
    say(_failures([failure for state in found for failure in state.failures]))
    out.print("")


def _row(state: UnitState) -> Iterator[str]:
    yield state.unit.model
    yield state.unit.group
    for does in _DOES:
        counts = [(word, state.count(word, does)) for word in ("running", "failed")]
        parts = [f"{state.count('done', does)}/{state.unit.shards if does == 'collect' else 1}"]
        parts += [told(f"sweep.{word}", count=count) for word, count in counts if count]
        yield joined(parts, en=", ", ja="、")
    yield names.answer(state.answer or "inconclusive") if state.run is not None else "-"


def _failures(failures: Sequence[Failure]) -> Iterator[str]:
    if failures:
        yield ""
        yield told("sweep.failures")
    for failure in failures:
        yield f"  {failure.step}: {failure.reason} ({failure.log})"


def _record(found: Sequence[UnitState], made: Sequence[tables.Table]) -> dict[str, Any]:
    return {
        "runs": [
            {
                "name": state.unit.name,
                "model": state.unit.model,
                "group": state.unit.group,
                "steps": {str(step): word for step, word in state.states.items()},
                "run": None if state.run is None else state.run.name,
                "answer": state.answer,
                "status": int(state.status),
                "failures": [
                    {"step": str(failure.step), "reason": failure.reason, "log": str(failure.log)}
                    for failure in state.failures
                ],
            }
            for state in found
        ],
        "tables": [{"path": str(table.path), "status": table.status, "missing": list(table.missing)} for table in made],
    }
