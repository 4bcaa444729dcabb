"""``jmedethic robustness``: a run whose conversations are held again unchanged, and in other words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from jmedethic_pytest.cases.perturb import kinds
from jmedethic_pytest.cli.app import app, with_run_options
from jmedethic_pytest.cli.execution import execute, with_command
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare


@app.command("robustness")
@with_run_options
def robustness(settings: Settings) -> None:
    """Evaluate a model as it is asked and in other words (--perturb; default: all kinds). Exit status as of run."""
    if not settings.perturb:
        locales = settings.selection.locales
        settings = replace(settings, perturb=kinds.chosen([kinds.ALL], locales, "--perturb"))
    outcome = execute(prepare(with_command(settings), Path.cwd()))
    raise typer.Exit(outcome.exit_status(strict=settings.strict))
