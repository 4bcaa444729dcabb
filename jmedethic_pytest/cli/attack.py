"""``jmedethic attack``: a run whose conversations an attacker goes on with after their written turns."""

from __future__ import annotations

from pathlib import Path

import typer

from jmedethic_pytest.cli.app import app, with_run_options
from jmedethic_pytest.cli.execution import execute, with_command
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare


@app.command("attack")
@with_run_options
def attack(settings: Settings) -> None:
    """Evaluate a model as `jmedethic run` does, and have an attacker go on beside the gate. Exit status: as there."""
    if settings.attacker is None:
        raise ConfigError("--attacker: name the model that attacks, PROVIDER:NAME; demo:attacker is a script.")
    outcome = execute(prepare(with_command(settings), Path.cwd()))
    raise typer.Exit(outcome.exit_status(strict=settings.strict))
