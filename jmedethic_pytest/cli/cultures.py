"""``jmedethic cultures``: the same models under guidelines of several countries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports import plots


@app.command("cultures")
def cultures(
    runs: Annotated[
        list[str], typer.Argument(help="Runs on two packs or more: ids, parts of them, or paths", metavar="RUN")
    ],
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A kind of models; may be repeated", metavar="NAME=RUN,...")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="TOML file with a table [groups]", metavar="FILE")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write page, tables and plot into a folder", metavar="DIR")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compare unlike runs, labelled")] = False,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Compare packs (--jmed-pack) by the duties they have in common: safety, kinds of models, order of strategies.

    Give runs of the same models on each pack. Too few common duties, or too many missing scores, are inconclusive.
    """
    from jmedethic_pytest.analysis.cultures import arms, compare
    from jmedethic_pytest.reports.cultures import lines, page

    chosen = named_runs.read_runs(reports, runs)
    listed = list(chosen.values())
    kinds = named_runs.groups(chosen, group or (), groups)
    arms.sorted_runs(listed)
    differences = arms.obstacles(listed)
    if differences and not force:
        raise ConfigError(
            [*differences, "These runs are not comparable. Choose others, or give --force to label them."]
        )
    found = compare.cultures(listed, kinds)
    if output is not None:
        for file in page.write(found, output):
            err.print(str(file))
        if not plots.there():
            err.print("without the plot, which needs matplotlib. Next: pip install 'jmedethic-pytest[plots]'")
    if as_json:
        out.print_json(found.model_dump_json())
    else:
        say(lines.lines(found))
