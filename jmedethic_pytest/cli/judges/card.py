"""``jmedethic judges card``: everything that speaks for believing a judge, in one file to be committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, out, say
from jmedethic_pytest.cli.judges.app import judges_app
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.cards import Card
    from jmedethic_pytest.stats.estimate import Estimate


@judges_app.command("card")
def card(
    run: Annotated[str, typer.Argument(help="Run id, part of it, path, or 'latest'")] = "latest",
    study: Annotated[
        Path | None, typer.Option("--study", help="calibration.json of `jmedethic annotate report`")
    ] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Write the card of every judge of a run: identity, prompt, people's marks, anchors, links. Nothing is called."""
    from jmedethic_pytest.analysis import cards
    from jmedethic_pytest.analysis.people.calibration import Calibration

    info = run_files.read_info(run_files.find_run(reports, run))
    if not info.judges:
        raise ConfigError(f"{run}: run {info.id} has no judges. Next: jmedethic judge {info.id} --judges=...")
    marks = None
    if study is not None:
        again = "jmedethic annotate report FOLDER"
        marks = judge_files.read(study, Calibration, "calibration", again, sealed=False)
    now = run_files.now()
    made = [cards.make(reports, info, judge["model"], marks, now) for judge in info.all_judges]
    for item in made:
        judge_files.write(cards.find(reports, item.judge), item)
    if as_json:
        out.print_json(f"[{','.join(item.model_dump_json() for item in made)}]")
        return
    for item in made:
        say(_lines(item, cards.find(reports, item.judge)))


def _lines(item: Card, path: Path) -> Iterator[str]:
    yield f"{item.judge}  {path}"
    yield f"  served as    {', '.join(item.served) or 'not told'}"
    yield f"  prompt       {item.prompts[:12]}, context {item.context}"
    for found in item.golden:
        state = "told apart" if found.passed else "NOT told apart"
        yield f"  golden       {found.locale}: {state}, {found.ordered} of {found.cases} in order"
    if not item.golden:
        yield "  golden       it was not tried on golden replies before this run"
    human = item.human
    if human is None:
        yield "  people       nobody has marked its conversations: jmedethic annotate sample"
    else:
        of, figures = f"{human.conversations} conversations of study {human.study}", human.judge
        rates = (figures.sensitivity, figures.specificity, figures.youden)
        yield f"  people       {of}; people among themselves: ICC {_value(human.people)}"
        yield f"               Se, Sp, J: {', '.join(map(_value, rates))}"
        yield f"               bias {_value(figures.bias)} points, ICC with people {_value(figures.icc)}"
    if not item.drift:
        yield "  anchors      never scored again: jmedethic judges anchors freeze"
    for check in item.drift:
        yield f"  anchors      {check.anchors} {check.at[:10]}: {check.answer}, {number(check.mean.value)} points"
    for link in item.links:
        state = "" if link.usable else ", refused"
        yield f"  link         {link.name}: {link.side} panel, other side {', '.join(link.panel)}{state}"


def _value(estimate: Estimate) -> str:
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"
