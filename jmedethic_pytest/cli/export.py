"""``jmedethic export``: a stored run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import Reports, RunName, app, err, out
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.store import runs as run_files

_FORMATS = ("csv", "parquet", "inspect")


@app.command("export")
def export(
    output: Annotated[Path, typer.Option("--output", help="Folder to write into", metavar="DIR")],
    run: RunName = "latest",
    kind: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(_FORMATS)}", metavar="FORMAT")] = "csv",
    reports: Reports = Path("reports"),
) -> None:
    """Write a stored run as tables (CSV, Parquet: ids and scores, no text of a model) or as a log of Inspect.

    `--format inspect` writes one file for `inspect view`. Content warning: it holds what the models wrote, unless the
    run was made with --redact.
    """
    if kind not in _FORMATS:
        raise ConfigError(unknown("--format", kind, _FORMATS))
    if output.exists() and not output.is_dir():
        raise ConfigError(f"--output: {output} is a file. Give the name of a folder.")
    from jmedethic_pytest.gate.outcome import load
    from jmedethic_pytest.reports import inspect_log, tables

    path = run_files.find_run(reports, run)
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path)
    if kind == "inspect":
        written = [inspect_log.write(output, outcome, run_files.read_verdicts(path))]
    else:
        write = tables.write_csv if kind == "csv" else tables.write_parquet
        written = write(outcome, output)
    for file in written:
        out.print(str(file))
    if kind == "inspect":
        err.print(f"Next: inspect view --log-dir {output}")
