"""``jmedethic batch``: have batches answer a run before it is evaluated; see, wait for and end those in work."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Commands, Reports, app, err, out, say, with_run_options_beside_commands
from jmedethic_pytest.cli.execution import watched, with_command
from jmedethic_pytest.config import tables
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.models.batches.journal import Journal
from jmedethic_pytest.models.batches.looking import Seen, look
from jmedethic_pytest.models.resolving import resolve
from jmedethic_pytest.reports.wording import spending
from jmedethic_pytest.run import estimate, signals
from jmedethic_pytest.run.evaluate import nothing_selected
from jmedethic_pytest.run.filling import fill as fill_cache
from jmedethic_pytest.run.header import header_lines
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import prepare
from jmedethic_pytest.run.waves import FOLDER

batch_app = Commands(
    name="batch", help="Have requests answered in batches, for half the price.", invoke_without_command=True
)
app.add_typer(batch_app, name="batch")
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
Rules = Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file with [providers]", metavar="FILE")]


@batch_app.callback()
@with_run_options_beside_commands
def fill(settings: Settings) -> None:
    """Have batches answer the requests of a run, into the cache; `jmedethic run` with the same options evaluates it.

    The same command goes on with one that was interrupted: nothing is paid twice. Exit status: 0 filled, 6 given up,
    7 budget spent.
    """
    spec = prepare(with_command(replace(settings, batch=True)), Path.cwd())
    say(header_lines(spec), to=err)
    if not spec.cases:
        err.print(nothing_selected(settings))
        raise typer.Exit(ExitStatus.NOTHING_SELECTED)
    if settings.dry_run:
        say(estimate.lines(spec))
        raise typer.Exit
    signals.stop_on_sigterm()
    try:
        with watched(len(spec.plan())) as watch:
            info = fill_cache(spec, watch)
    except BudgetSpent as error:
        err.print(f"ERROR: {error}")
        raise typer.Exit(ExitStatus.BUDGET) from None
    except KeyboardInterrupt:
        err.print("Interrupted. Batches that were begun go on, and the same command reads them.")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    say(spending(info))
    out.print(info.note)


@batch_app.command("status")
def status(reports: Reports = Path("reports"), thresholds: Rules = None, as_json: AsJson = False) -> None:
    """Show every batch that was handed over from here, and ask the providers how those in work stand."""
    seen = _looked_at(reports, thresholds)
    if as_json:
        out.print(json.dumps([_plain(item) for item in seen], ensure_ascii=False))
        return
    say(map(_told, seen))
    if not seen:
        out.print(f"{reports / FOLDER}: no batch was handed over from here.")


@batch_app.command("wait")
def wait(reports: Reports = Path("reports"), thresholds: Rules = None) -> None:
    """Wait until no batch is in work any more; then the command that began them reads their answers."""
    pause = _FIRST_PAUSE
    while True:
        seen = _looked_at(reports, thresholds)
        waiting = [item for item in seen if item.standing is not None and not item.standing.over]
        if not waiting:
            break
        err.print(f"{len(waiting)} batches in work: {'; '.join(map(_told, waiting))}")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    say(_told(item) for item in seen if not item.entry.over)


@batch_app.command("cancel")
def cancel(reports: Reports = Path("reports"), thresholds: Rules = None) -> None:
    """Have all batches in work ended. What was answered by then is paid; the command that began them reads it."""
    seen = _looked_at(reports, thresholds, end=True)
    say(_told(item) for item in seen if not item.entry.over)


def _looked_at(reports: Path, thresholds: Path | None, *, end: bool = False) -> list[Seen]:
    journal = Journal(reports / FOLDER)
    rules, _ = tables.load(thresholds, Path.cwd())
    entries = sorted(journal.entries.values(), key=lambda entry: entry.began)
    refs, problems = {}, {}
    for entry in entries:
        if entry.batch and not entry.over:
            try:
                address = f"@{entry.address}" if entry.address else ""
                place = f"batch {entry.batch}"
                refs[entry.name] = resolve(f"{entry.model}{address}", place=place, providers=rules.providers)
            except ConfigError as error:
                problems[entry.name] = "; ".join(error.problems)
    seen: Sequence[Seen] = look(entries, refs, journal.folder, cancel=end)
    return [item._replace(problem=problems.get(item.entry.name, item.problem)) for item in seen]


def _told(item: Seen) -> str:
    entry = item.entry
    what = f"{entry.role} {entry.model}: {entry.batch or '(not begun)'}, {entry.lines:,} requests"
    if entry.over:
        why = ", ".join(f"{reason}: {count:,}" for reason, count in entry.reasons.items())
        left = f", {len(entry.left):,} left to single calls ({why})" if entry.left else ""
        return f"{what}, read: {entry.kept:,} answers kept{left}"
    if item.standing is not None:
        return f"{what}, {item.standing.word}, {item.standing.answered:,} answered"
    return f"{what}, {item.problem or 'the same command finds out whether it was begun'}"


def _plain(item: Seen) -> dict[str, object]:
    entry = item.entry
    return {
        "model": entry.model,
        "role": entry.role,
        "batch": entry.batch,
        "requests": entry.lines,
        "state": "read" if entry.over else (item.standing.word if item.standing else "unknown"),
        "answered": item.standing.answered if item.standing else entry.kept,
        "left": len(entry.left),
        "problem": item.problem,
    }
