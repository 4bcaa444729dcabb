"""``jmedethic run``: evaluate a model without pytest; same engine, store, gate and exit status."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jmedethic_pytest.cli.app import app, err, out, with_run_options
from jmedethic_pytest.core.errors import ConfigError, RunAborted, StoreError
from jmedethic_pytest.run import estimate
from jmedethic_pytest.run.live import Run
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_EXIT_INTERRUPTED = 2
_EXIT_NOTHING_SELECTED = 5
_LOG_EVERY_SECONDS = 60.0


@app.command("run")
@with_run_options
def run(settings: Settings) -> None:
    """Evaluate a model and decide the gate. Exit status: 0 pass, 1 fail, 6 inconclusive or incomplete."""
    from jmedethic_pytest.run.header import header_lines

    settings = Settings(**{**vars(settings), "command": ("jmedethic", *sys.argv[1:])})
    prepared = prepare(settings, Path.cwd())
    for line in header_lines(prepared):
        err.print(line, markup=False)
    if not prepared.cases:
        err.print("nothing selected: no case fits suite, locale, strategy and guideline", markup=False)
        raise typer.Exit(_EXIT_NOTHING_SELECTED)
    if settings.dry_run:
        for line in estimate.lines(prepared):
            out.print(line, markup=False)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    current = Run(prepared)
    try:
        current.start()
    except StoreError as error:
        raise ConfigError(str(error)) from None
    interrupted: str | None = None
    try:
        _wait(current, list(current.jobs))
    except RunAborted:
        interrupted = "aborted"
    except KeyboardInterrupt:
        interrupted = "interrupted by the user"
    outcome = current.finish(interrupted=interrupted)
    _tell(outcome)
    if interrupted == "interrupted by the user":
        raise typer.Exit(_EXIT_INTERRUPTED)
    raise typer.Exit(outcome.exit_status(strict=settings.strict))


def _tell(outcome: Outcome) -> None:
    """Print the figures, and what continuous integration wants to know."""
    from jmedethic_pytest.reports import ci
    from jmedethic_pytest.reports.terminal.summary import summary_lines

    for line in summary_lines(outcome):
        out.print(line, markup=False)
    for line in ci.publish(outcome, os.environ):
        out.file.write(f"{line}\n")  # as it is: these lines are commands to the system around


def _wait(current: Run, ids: list[str]) -> None:
    """Ask for every case in order, with a bar on a terminal and a line a minute in a log file."""
    current.runner.plan(ids)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("evaluating", total=len(ids))
        last = 0.0
        for case_id in ids:
            future = current.runner.request(case_id)
            while True:
                state = current.runner.progress()
                bar.update(task, completed=state.done, description=current.progress_line())
                if not err.is_terminal and state.seconds - last >= _LOG_EVERY_SECONDS:
                    last = state.seconds
                    err.print(current.progress_line(), markup=False)
                try:
                    future.result(timeout=0.25)
                    break
                except TimeoutError:
                    continue
