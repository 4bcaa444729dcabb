"""``jmedethic report``: the pages people look at, written again from a stored run."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest import store
from jmedethic_pytest.cli.app import Reports, app, err, out
from jmedethic_pytest.errors import StoreError


@app.command("report")
def report(
    run: Annotated[str, typer.Argument(help="Run id, part of it, path, or 'latest'")] = "latest",
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser")] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Write report.html, tables and plots of a stored run. Content warning: the page holds the model's replies."""
    from jmedethic_pytest.reporting import files, page
    from jmedethic_pytest.stats.outcome import load

    path = store.find_run(reports, run)
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path)
    with err.status("Drawing plots and writing report.html ..."):
        notes = files.write_reports(outcome)
    if notes:
        raise StoreError("; ".join(notes))
    out.print(str(path / page.NAME), markup=False)
    if show and not webbrowser.open((path / page.NAME).as_uri()):
        err.print("No browser could be opened; open the file above by hand.", markup=False)
