"""``jmedethic judge`` and ``rejudge``: score the conversations of a stored run; no target is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from jmedethic_pytest.cli.app import RunName, app, with_judging_options
from jmedethic_pytest.cli.scoring import require_judges, score
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.run.options import Settings, parse
from jmedethic_pytest.store import runs as run_files


@app.command("judge")
@with_judging_options
def judge(run: RunName, raw: dict[str, Any]) -> None:
    """Score a collection (a run with --judges=none) and decide the gate. Exit status: as of `jmedethic run`.

    The scores make a new run beside the collection, which stays as it is. No target is called. The same command goes on
    with a run that was interrupted: no score is paid twice.
    """
    path, info, settings = _chosen(run, raw)
    if info.judges:
        raise ConfigError(f"{run}: run {info.id} is scored already. Next: `jmedethic rejudge {info.id} --judges=...`.")
    raise typer.Exit(score(path, raw).exit_status(strict=settings.strict))


@app.command("rejudge")
@with_judging_options
def rejudge(run: RunName, raw: dict[str, Any]) -> None:
    """Have other judges score the conversations of a stored run, in a new run. Exit status: as of `jmedethic run`.

    No target is called, and the stored run stays as it is. To compare runs on one scale, rejudge the baseline too
    (`jmedethic baseline rejudge`).
    """
    require_judges(raw, run)
    path, info, settings = _chosen(run, raw)
    if not info.judges:
        raise ConfigError(f"{run}: nobody has scored it yet. Next: `jmedethic judge {info.id} --judges=...`.")
    raise typer.Exit(score(path, raw).exit_status(strict=settings.strict))


def _chosen(run: str, raw: dict[str, Any]) -> tuple[Path, RunInfo, Settings]:
    """Return the run that is meant; for one that was broken off while it scored another's replies, that other one."""
    settings = parse("stored", raw, prefix="--")
    path = run_files.find_run(settings.reports, run)
    info = run_files.read_info(path)
    if info.transcripts_of is not None and info.status != "complete":
        path = run_files.find_run(settings.reports, info.transcripts_of.run)
        info = run_files.read_info(path)
    return path, info, settings
