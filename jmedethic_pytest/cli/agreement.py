"""``jmedethic agreement``: the judges as measuring instruments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli import agreement_items, named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports.wording import SIMULATION, number, share

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.items import ItemStudy
    from jmedethic_pytest.analysis.judge_reliability import ContestedTurn, Instruments
    from jmedethic_pytest.analysis.judge_study import PanelStudy, RunPanel


@app.command("agreement")
def agreement(
    runs: Annotated[list[str], typer.Argument(help="Run ids, parts of them, paths, or 'latest'", metavar="RUN")],
    contested: Annotated[
        float, typer.Option("--contested", min=0.0, max=9.0, help="Distance above which a turn is contested")
    ] = 3.0,
    items: Annotated[
        bool, typer.Option("--items", help="Look at the conversations instead: contested again, telling nothing, hard")
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", help="Folder for the table and the plot of --items", metavar="DIR")
    ] = Path("reports") / "items",
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Show how far the judges agree, what their mean is worth, and which turns they contest.

    With several runs also over all turns together, and with at least three on model means. With --items
    each conversation over all runs: how often contested, how hard, and whether it orders models as the others do.
    """
    from jmedethic_pytest.analysis import items as item_study
    from jmedethic_pytest.analysis import judge_study, same_table

    chosen = named_runs.read_runs(reports, runs)
    differences = same_table.unlike_judges(list(chosen.values()))
    if differences:
        raise ConfigError([*differences, "Agreement is that of one panel. Choose runs that were judged alike."])
    if items:
        _items(item_study.study(list(chosen.values()), contested=contested), output, as_json=as_json)
        return
    found = judge_study.study(list(chosen.values()), contested=contested)
    if as_json:
        out.print_json(found.model_dump_json())
        return
    if any(run.origin.simulated_target for run in chosen.values()):
        out.print(SIMULATION, end="\n\n")
    say(lines(found))


def _items(found: ItemStudy, folder: Path, *, as_json: bool) -> None:
    for file in agreement_items.write(folder, found):
        err.print(str(file))
    if as_json:
        out.print_json(found.model_dump_json())
    else:
        say(agreement_items.lines(found))


def lines(found: PanelStudy) -> Iterator[str]:
    """Yield the study as text, at most 100 characters wide."""
    for number_, judge in enumerate(found.judges, start=1):
        yield f"judge {number_}  {judge}"
    yield ""
    yield f"{'level':<28} {'n':>7} {'Pearson':>8} {'Spearm.':>8} {'kappa':>6} {'within 2':>8} {'MAE':>5} {'bias':>6}"
    for run in found.runs:
        yield from _pairs(run.model, run.report.turn_level)
    if found.pooled is not None:
        yield from _pairs("all turns", found.pooled)
    if found.models is not None:
        yield from _pairs("model means", found.models)
    yield ""
    yield f"{'level':<28} {'ICC(2,1)':>9} {'ICC(2,k)':>9} {'alpha ord.':>11} {'alpha int.':>11} {'reliability':>12}"
    for run in found.runs:
        yield _panel(run.model, run.report.turn_level)
    if found.pooled is not None:
        yield _panel("all turns", found.pooled)
    if found.models is not None:
        yield _panel("model means", found.models)
    for run in found.runs:
        yield ""
        yield from _run(run, found.contested)


def _pairs(name: str, found: Instruments) -> Iterator[str]:
    if not found.pairs:
        yield f"{name:<28} not estimable: {found.reason}"
    for pair in found.pairs:
        label = name if len(found.pairs) == 1 else f"{name}: {pair.first} / {pair.second}"
        yield (
            f"{label:<28} {pair.n:>7} {number(pair.pearson, 3):>8} {number(pair.spearman, 3):>8} "
            f"{number(pair.kappa):>6} {share(pair.within_2):>8} {number(pair.mean_absolute_difference):>5} "
            f"{number(pair.bias):>6}"
        )


def _panel(name: str, found: Instruments) -> str:
    reliability = f"{number(found.reliability, 3)}"
    return (
        f"{name:<28} {number(found.icc21, 3):>9} {number(found.icc2k, 3):>9} {number(found.alpha_ordinal, 3):>11} "
        f"{number(found.alpha_interval, 3):>11} {reliability:>12}"
    )


def _run(run: RunPanel, contested: float) -> Iterator[str]:
    report = run.report
    yield f"{run.model}  {run.run}"
    errors = ", ".join(f"{turn} {number(value)}" for turn, value in report.measurement_error.items())
    yield f"  standard error of a single turn's score: {errors} points"
    for judge in run.alone:
        turns = " / ".join(number(mean) for mean in judge.turns)
        lost = f", {judge.missing} missing" if judge.missing else ""
        yield f"  {judge.judge} alone: {turns}, {share(judge.share_jailbreak)} at or below 2{lost}"
    yield f"  contested (more than {contested:g} apart): {report.contested} turns"
    yield f"  hidden (a judge at or below 2, the mean above): {report.hidden} turns"
    for turn in report.most_contested:
        yield _turn(turn)


def _turn(turn: ContestedTurn) -> str:
    scores = " / ".join("-" if score is None else f"{score:g}" for score in turn.scores)
    return f"    {turn.key:<40} {turn.turn}  {scores:<10} mean {number(turn.mean)}{'  hidden' if turn.hidden else ''}"
