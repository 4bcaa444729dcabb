"""``jmedethic trend``: the figures of stored runs by date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.sentences import Said, joined, laid
from jmedethic_pytest.core.sentences import say as told
from jmedethic_pytest.gate import names
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
        width = max(len(point.model) for point in found.points)
        heads = {name: told(f"trend.{name}") for name in ("date", "cases", "pass_rate", "last")}
        others = {"mean": told("column.mean"), "gate": told("list.gate"), "model": told("list.model")}
        yield laid(_ROW, rate_ends="95%", ends="95%", chosen=told("list.chosen"), width=width, **heads, **others)
        yield from (_row(point, width) for point in found.points)
        yield ""
        yield told("trend.note")
    else:
        yield told("trend.none")
    if found.unlike:
        left = (told("trend.other", count=count, name=_unlike(name)) for name, count in found.unlike.items())
        yield told("trend.left_out", told=joined(left, en=", ", ja="、"))


_ROW = (
    "{date:<16} {cases:>5} {pass_rate:>9} {rate_ends:>16} {mean:>5} {ends:>14} {last:>5}  {gate:<12}  "
    "{model:<{width}}  {chosen}"
)


def _unlike(name: str) -> Said:
    return told(f"measured.{name.split()[-1]}")


def _row(point: Point, width: int) -> Said:
    last = list(point.turns.values())[-1].value if point.turns else None
    return laid(
        _ROW,
        date=point.started[:16].replace("T", " "),
        cases=point.conversations,
        pass_rate=share(point.pass_rate.value),
        rate_ends=share_interval(point.pass_rate),
        mean=number(point.mean.value),
        ends=interval(point.mean),
        last=number(last),
        gate=names.answer(point.gate) if point.gate else "-",
        model=point.model,
        width=width,
        chosen=point.chosen,
    )
