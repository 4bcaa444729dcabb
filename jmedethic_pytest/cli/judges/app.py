"""The group of commands about judges, and the options they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import Commands, app

judges_app = Commands(
    name="judges",
    help="Link panels, score anchors again, and keep a card of every judge. No command here calls a target.",
    no_args_is_help=True,
)
app.add_typer(judges_app, name="judges")

Rules = Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file (default: ./thresholds.toml)")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the sample")]
