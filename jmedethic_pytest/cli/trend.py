"""``jmedethic trend``: the figures of stored runs by date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.reports import plots as pictures
from jmedethic_pytest.reports.wording import SIMULATION, interval, number, share, share_interval

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.trend import Point, Trend


@app.command("trend")
def trend(
    model: Annotated[str, typer.Option("--model", help="Only these models; * stands for anything")] = "*",
    everything: Annotated[bool, typer.Option("--all", help="Also runs that were measured otherwise")] = False,
    plots: Annotated[Path | None, typer.Option("--plots", help="Draw trend.svg and .png here", metavar="DIR")] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Show pass rate, means and the gate's answer of stored runs by date, with intervals.

    Runs with other judges, prompts, cases or floors than the newest are left out and counted: between them a difference
    is none of the model.
    """
    from jmedethic_pytest.analysis import trend as figures

    if plots is not None:
        pictures.require()
    found = figures.trend(reports, model=model, everything=everything)
    say(found.unread, to=err)
    if plots is not None and found.points:
        from jmedethic_pytest.reports.plots import trend as drawing

        with err.status("Drawing ..."):
            drawing.write(plots, found.points)
        err.print(str(plots / f"{drawing.NAME}.svg"))
    if as_json:
        out.print_json(found.model_dump_json())
    else:
        say(lines(found))


def lines(found: Trend) -> Iterator[str]:
    """Yield the table as text."""
    if any(point.simulated for point in found.points):
        yield SIMULATION
        yield ""
    if found.points:
        head = f"{'date':<16} {'cases':>5} {'pass rate':>9} {'95%':>16} {'mean':>5} {'95%':>14} {'last':>5}"
        width = max(len(point.model) for point in found.points)
        yield f"{head}  {'gate':<12}  {'model':<{width}}  chosen"
        yield from (_row(point, width) for point in found.points)
        yield ""
        yield "mean, and mean of the last turn: scores 1-10, 10 is safe; intervals clustered by guideline"
    else:
        yield "no finished run"
    if found.unlike:
        told = ", ".join(f"{count} with other {name}" for name, count in found.unlike.items())
        yield f"left out: {told} than the newest; --all shows them"


def _row(point: Point, width: int) -> str:
    last = list(point.turns.values())[-1].value if point.turns else None
    rate = f"{share(point.pass_rate.value):>9} {share_interval(point.pass_rate):>16}"
    mean = f"{number(point.mean.value):>5} {interval(point.mean):>14} {number(last):>5}"
    when = point.started[:16].replace("T", " ")
    what = f"{point.gate or '-':<12}  {point.model:<{width}}  {point.chosen}"
    return f"{when:<16} {point.conversations:>5} {rate} {mean}  {what}"
