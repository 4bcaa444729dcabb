"""``jmedethic export``: a stored run in the formats of other tools, and in other tools themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli.app import Reports, RunName, app, err, out
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_FORMATS = ("csv", "parquet", "inspect")
_TRACKERS = ("mlflow", "wandb")
_PLACES = (*_TRACKERS, "model-card")


@app.command("export")
def export(
    output: Annotated[Path | None, typer.Option("--output", help="Folder to write files into", metavar="DIR")] = None,
    run: RunName = "latest",
    kind: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(_FORMATS)}", metavar="FORMAT")] = "csv",
    to: Annotated[str | None, typer.Option("--to", help=f"One of: {', '.join(_PLACES)}", metavar="PLACE")] = None,
    project: Annotated[str, typer.Option(help="Experiment or project of a tracker", metavar="NAME")] = "jmedethic",
    address: Annotated[
        str | None, typer.Option(help="Server of a tracker (default: as its own variables say)", metavar="URL")
    ] = None,
    transcripts: Annotated[bool, typer.Option("--transcripts", help="Take along what the models wrote")] = False,
    dataset: Annotated[
        str | None, typer.Option(help="Where the conversations are on the Hugging Face Hub", metavar="OWNER/NAME")
    ] = None,
    reports: Reports = Path("reports"),
) -> None:
    """Write a stored run as tables (CSV, Parquet: ids and scores, no text of a model), or take it into another tool.

    `--format inspect` writes one file for `inspect view`. Content warning: it holds what the models wrote, unless the
    run was made with --redact. `--to mlflow` and `--to wandb` tell a tracker of the run: parameters, figures with
    intervals, the gate's answer, tables and plots; a second export changes the same run there. `--to model-card`
    writes a card for the Hugging Face Hub, with figures that it can read.
    """
    if kind not in _FORMATS:
        raise ConfigError(unknown("--format", kind, _FORMATS))
    if to is not None and to not in _PLACES:
        raise ConfigError(unknown("--to", to, _PLACES))
    if transcripts and to not in _TRACKERS:
        raise ConfigError(f"--transcripts goes with --to {' or '.join(_TRACKERS)}.")
    from jmedethic_pytest.gate.outcome import load

    path = run_files.find_run(reports, run)
    folder = _folder(output) if to not in _TRACKERS else None
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path)
    if folder is None:
        _track(outcome, str(to), project, address, transcripts=transcripts)
    elif to is not None:
        from jmedethic_pytest.reports import model_card

        written, notes = model_card.write(outcome, folder, dataset)
        _tell(written, notes)
    else:
        _write(outcome, kind, folder)


def _tell(written: Iterable[object], notes: Iterable[str]) -> None:
    for note in notes:
        err.print(note)
    for item in written:
        out.print(str(item))


def _folder(output: Path | None) -> Path:
    if output is None:
        raise ConfigError("--output is missing: the folder to write into.")
    if output.exists() and not output.is_dir():
        raise ConfigError(f"--output: {output} is a file. Give the name of a folder.")
    return output


def _write(outcome: Outcome, kind: str, folder: Path) -> None:
    from jmedethic_pytest.reports import inspect_log, tables

    if kind == "inspect":
        written = [inspect_log.write(folder, outcome, outcome.verdicts())]
    else:
        write = tables.write_csv if kind == "csv" else tables.write_parquet
        written = write(outcome, folder)
    _tell(written, [])
    if kind == "inspect":
        err.print(f"Next: inspect view --log-dir {folder}")


def _track(outcome: Outcome, tracker: str, project: str, address: str | None, *, transcripts: bool) -> None:
    from jmedethic_pytest.reports.trackers import mlflow, told, wandb

    send = mlflow.send if tracker == "mlflow" else wandb.send
    with tempfile.TemporaryDirectory() as folder:
        notes = told.gather(outcome, Path(folder), transcripts=transcripts)
        with err.status(f"Telling {tracker} ..."):
            where = send(told.told(outcome), Path(folder), project, address)
    _tell([where], notes)
