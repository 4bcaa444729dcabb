"""``jmedethic revision``: a digest of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import app, out
from jmedethic_pytest.models import weights


@app.command("revision")
def revision(
    path: Annotated[Path, typer.Argument(help="A checkpoint folder, a GGUF file or an adapter")],
    full: Annotated[bool, typer.Option("--full", help="Read every byte (default: samples)")] = False,
) -> None:
    """Print a digest of a model's weights."""
    out.print(weights.revision(path, full=full), markup=False)
