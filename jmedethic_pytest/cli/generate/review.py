"""``jmedethic generate review``: the split as a sheet for clinicians, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import err, out
from jmedethic_pytest.cli.generate.stages import ConfigFile, Name, Reports, generate_app, settings
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.generation.review import case_review, sheet


@generate_app.command("review")
def review(
    config: ConfigFile = "generate.toml",
    name: Name = None,
    reports: Reports = None,
    write_to: Annotated[
        Path | None, typer.Option("--sheet", help="Sheet to write: .csv, or .xlsx with openpyxl", metavar="FILE")
    ] = None,
    apply: Annotated[Path | None, typer.Option("--apply", help="Read a filled-in sheet", metavar="FILE")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the sheet if it exists")] = False,
) -> None:
    """Write the split as a sheet in which a person accepts, edits or rejects every case; --apply reads it back."""
    found = settings(config, name=name, reports=reports)
    if (write_to is None) == (apply is None):
        raise ConfigError("generate review: give --sheet FILE to write a sheet, or --apply FILE to read one back.")
    if apply is not None:
        done = case_review.apply(found, apply)
        out.print(", ".join(f"{count} {decision}" for decision, count in done.decisions.items()), markup=False)
        err.print(f"written: {done.folder}  next: pytest --model=... --jmed-cases={done.folder}", markup=False)
        return
    assert write_to is not None
    sheet.check_name(write_to, "--sheet")
    if write_to.exists() and not force:
        raise ConfigError(f"--sheet: {write_to} exists already. Give another name, or --force to replace it.")
    out.print(f"{case_review.write(found, write_to)} rows", markup=False)
    err.print(f"written: {write_to}  next: fill it in, then jmedethic generate review --apply {write_to}", markup=False)
