"""``jmedethic run``: evaluate a model without pytest; same engine, store, gate and exit status."""

from __future__ import annotations

from pathlib import Path

import typer

from jmedethic_pytest.cli.app import app, with_run_options
from jmedethic_pytest.cli.execution import execute, with_command
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare


@app.command("run")
@with_run_options
def run(settings: Settings) -> None:
    """Evaluate a model and decide the gate. Exit status: 0 pass, 1 fail, 6 inconclusive or incomplete."""
    outcome = execute(prepare(with_command(settings), Path.cwd()))
    raise typer.Exit(outcome.exit_status(strict=settings.strict))
