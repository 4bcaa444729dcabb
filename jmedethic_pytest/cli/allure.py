"""``jmedethic allure``: Allure results of a stored run; ``jmedethic allure-finish``: a report made fit to be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import Reports, RunName, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.run.options import ALLURE_MODES
from jmedethic_pytest.store import runs as run_files


@app.command("allure")
def allure(
    run: RunName = "latest",
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder of the results")] = Path(
        "allure-results"
    ),
    mode: Annotated[
        str, typer.Option("--allure", metavar="all|failures|sample", help="Which cases get transcripts")
    ] = "auto",
    link_pattern: Annotated[
        str | None, typer.Option("--link-pattern", metavar="URL", help="Guideline links, {} for the anchor")
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Remove the results that stand in the folder")] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Write Allure results of a stored run: same ids, labels and content as with pytest --alluredir."""
    if mode not in ALLURE_MODES:
        raise ConfigError(unknown("--allure", mode, ALLURE_MODES))
    if output.exists() and not output.is_dir():
        raise ConfigError(f"--output: {output} is a file. Give a folder.")
    path = run_files.find_run(reports, run)
    old = sorted(output.glob("*-result.json"))
    if old and not clean:
        raise ConfigError(
            f"--output: {output} already holds {len(old)} results, which would be mixed with these. "
            "Add --clean to remove them, or give another folder."
        )
    from jmedethic_pytest.reports.allure import stored
    from jmedethic_pytest.reports.allure.policy import GUIDELINE_PAGE

    if clean:
        stored.clean(output)
    count, notes = stored.write(path, output, mode=mode, page=link_pattern or GUIDELINE_PAGE)
    say(notes, to=err)
    out.print(f"{count} conversations of {path.name} written to {output}")


@app.command("allure-finish")
def allure_finish(
    report: Annotated[Path, typer.Argument(help="Folder that Allure 2 or 3 generated")] = Path("allure-report"),
) -> None:
    """Take the analytics scripts out of a generated Allure report, and add the page its guideline links lead to."""
    from jmedethic_pytest.reports.allure import published

    done = published.finish(report)
    out.print(f"{report}: {done.pages} pages, {done.scripts} analytics scripts removed")
