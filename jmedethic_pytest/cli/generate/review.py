"""``jmedethic generate review``: the split as a sheet for clinicians, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.cli.app import err, out
from jmedethic_pytest.cli.generate.options import with_settings
from jmedethic_pytest.cli.generate.stages import generate_app
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.review import case_review


@generate_app.command("review")
@with_settings("guidelines", "budget", "concurrency", "keep_answers")
def review(
    config: Config,
    write_to: Annotated[
        Path | None, typer.Option("--sheet", help="Sheet to write: .csv, or .xlsx with openpyxl", metavar="FILE")
    ] = None,
    apply: Annotated[Path | None, typer.Option("--apply", help="Read a filled-in sheet", metavar="FILE")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the sheet if it exists")] = False,
) -> None:
    """Write the split as a sheet in which a person accepts, edits or rejects every case; --apply reads it back."""
    if (write_to is None) == (apply is None):
        raise ConfigError("generate review: give --sheet FILE to write a sheet, or --apply FILE to read one back.")
    if apply is not None:
        done = case_review.apply(config, apply)
        out.print(", ".join(f"{count} {decision}" for decision, count in done.decisions.items()))
        err.print(f"written: {done.folder}  next: pytest --model=... --jmed-cases={done.folder}")
        return
    assert write_to is not None
    sheet.check_name(write_to, "--sheet")
    if write_to.exists() and not force:
        raise ConfigError(f"--sheet: {write_to} exists already. Give another name, or --force to replace it.")
    out.print(f"{case_review.write(config, write_to)} rows")
    err.print(f"written: {write_to}  next: fill it in, then jmedethic generate review --apply {write_to}")
