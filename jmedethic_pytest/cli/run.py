"""``jmedethic run``: evaluate a model without pytest; same engine, store, gate and exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer

from jmedethic_pytest.cli.app import app, err, with_run_options
from jmedethic_pytest.cli.execution import execute, with_command
from jmedethic_pytest.run import candidates
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare


@app.command("run")
@with_run_options
def run(settings: Settings) -> None:
    """Evaluate a model and decide the gate. Exit status: 0 pass, 1 fail, 6 inconclusive or incomplete."""
    spec = prepare(with_command(settings), Path.cwd())
    if candidates.wanted(settings):
        raise typer.Exit(candidates.evaluate(spec, partial(_command, settings.baselines), err.print))
    outcome = execute(spec)
    raise typer.Exit(outcome.exit_status(strict=settings.strict))


def _command(own: Sequence[str], _name: str, baselines: Sequence[str]) -> list[str]:
    """Return this command for one of several runs, held against a baseline more."""
    more = [f"--baseline={','.join([*own, *baselines])}"] if baselines else []
    return [sys.executable, "-m", "jmedethic_pytest", *sys.argv[1:], *more]
