"""Carrying a run out for a command line: watched, told of, ended by Ctrl-C like any other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from jmedethic_pytest.cli.app import err, out, say
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.run import estimate, signals
from jmedethic_pytest.run.evaluate import Interrupted, carry_out, nothing_selected
from jmedethic_pytest.run.header import header_lines
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.progress import IN_LOG, Progress
from jmedethic_pytest.run.spec import RunSpec

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome


def with_command(settings: Settings) -> Settings:
    """Return the options with the command line that gave them, as a run records it."""
    return replace(settings, command=("jmedethic", *sys.argv[1:]))


def execute(spec: RunSpec) -> Outcome:
    """Carry a run out, watched, and tell what came of it.

    Raises:
        typer.Exit: if nothing was selected, only an estimate was asked for, or Ctrl-C ended the run.
    """
    say(header_lines(spec), to=err)
    if not spec.cases:
        err.print(nothing_selected(spec.settings))
        raise typer.Exit(ExitStatus.NOTHING_SELECTED)
    if spec.settings.dry_run:
        say(estimate.lines(spec))
        raise typer.Exit(ExitStatus.PASS)
    signals.stop_on_sigterm()
    told = Telling()
    try:
        with watched(len(spec.plan())) as watch:
            outcome = carry_out(spec, watch, err.print, told)
    except Interrupted as stop:
        told.drawn(stop.outcome)
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    told.drawn(outcome)
    return outcome


class Telling:
    """What is printed of a run: the answer as soon as it is known, then where the page is."""

    def __init__(self) -> None:
        self._told: Outcome | None = None

    def __call__(self, outcome: Outcome) -> None:
        """Print the figures, and what continuous integration wants to know."""
        from jmedethic_pytest.reports import ci
        from jmedethic_pytest.reports.terminal.failures import failure_lines
        from jmedethic_pytest.reports.terminal.summary import answer_lines, figure_lines

        self._told = outcome
        say(figure_lines(outcome))
        failed = [*failure_lines(outcome)]
        say([*failed, ""] if failed else [])
        for line in ci.publish(outcome, os.environ):
            out.file.write(f"{line}\n")  # as it is: these lines are commands to the system around
        say(answer_lines(outcome))
        out.file.flush()

    def drawn(self, outcome: Outcome) -> None:
        """Print where the page is, and what could not be drawn."""
        from jmedethic_pytest.reports.terminal.summary import drawn_lines

        say(drawn_lines(self._told or outcome, outcome))


@contextmanager
def watched(planned: int) -> Iterator[Callable[[Progress], None]]:
    """Show where a run stands: with a bar on a terminal, with a line now and then in a log file, and at SIGUSR1."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("evaluating", total=planned)
        last, asked = 0.0, False

        def ask() -> None:
            nonlocal asked
            asked = True

        signals.show_on_sigusr1(ask)

        def watch(state: Progress) -> None:
            nonlocal last, asked
            bar.update(task, completed=state.done, description=shown(state.line()))
            if asked or (not err.is_terminal and state.seconds - last >= IN_LOG):
                last, asked = state.seconds, False
                err.print(state.line())

        yield watch
