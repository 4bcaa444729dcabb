"""``jmedethic merge``: make one run of the shards of a divided one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import Reports, app, err, out, say, spell
from jmedethic_pytest.cli.execution import Telling
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.run.options import REPORT_MODES


@app.command("merge")
def merge_(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Runs, or folders of reports with runs")],
    expect: Annotated[
        Path | None, typer.Option("--expect", metavar="CASES", help="Case file or folder that was divided")
    ] = None,
    cache: Annotated[bool, typer.Option("--cache", help="Take the cached replies of the folders, too")] = False,
    report: Annotated[str, typer.Option("--report", metavar="full|off", help="As of `jmedethic run`")] = "full",
    strict: Annotated[bool, typer.Option("--strict", help="Any failed case fails the run")] = False,
    shared: Annotated[bool, typer.Option("--shared", help="Let others look into the run's folder")] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Make one run of all shards (--shard) and decide its gate. Exit status: 0 pass, 1 fail, 6 inconclusive or refused.

    No model is called, and the shards stay as they are. The same shards make the same run, once.
    """
    if report not in REPORT_MODES:
        raise ConfigError(unknown("--report", report, REPORT_MODES))
    from jmedethic_pytest.run.merging import merge
    from jmedethic_pytest.run.shards import NotOneRun

    try:
        with err.status("Reading shards ..."):
            done = merge(
                folders,
                reports,
                expected=expect,
                command=("jmedethic", *sys.argv[1:]),
                shared=shared,
                draw=report == "full",
            )
    except NotOneRun as refused:
        say((f"ERROR: {spell(problem)}" for problem in refused.problems), to=err)
        raise typer.Exit(ExitStatus.INCONCLUSIVE) from None
    made = "made one run" if done.new else "were made one run before"
    out.print(f"{len(done.shards)} shards {made}: {done.outcome.path}")
    if cache:
        from jmedethic_pytest.models import cache as caching
        from jmedethic_pytest.models import cache_merging

        sources = dict.fromkeys(item.path.parent.parent / caching.FILE for item in done.shards)
        say(cache_merging.merge(list(sources), reports / caching.FILE, shared=shared), to=err)
    Telling()(done.outcome)
    raise typer.Exit(done.outcome.exit_status(strict=strict))
