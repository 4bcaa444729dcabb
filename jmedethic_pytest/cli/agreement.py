"""``jmedethic agreement``: the judges as measuring instruments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli import agreement_items, named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.sentences import Said, laid
from jmedethic_pytest.core.sentences import say as told
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
        yield told("agreement.judge", number=number_, judge=judge)
    yield ""
    yield laid(
        _PAIR,
        level=told("agreement.level"),
        n="n",
        pearson="Pearson",
        spearman="Spearm.",
        kappa="kappa",
        within=told("agreement.within"),
        error="MAE",
        bias=told("agreement.bias"),
    )
    for name, report in _levels(found):
        yield from _pairs(name, report)
    yield ""
    yield laid(
        _PANEL,
        level=told("agreement.level"),
        icc21="ICC(2,1)",
        icc2k="ICC(2,k)",
        ordinal="alpha ord.",
        by_interval="alpha int.",
        reliability=told("finding.reliability"),
    )
    for name, report in _levels(found):
        yield _panel(name, report)
    for run in found.runs:
        yield ""
        yield from _run(run, found.contested)


_PAIR = "{level:<28} {n:>7} {pearson:>8} {spearman:>8} {kappa:>6} {within:>8} {error:>5} {bias:>6}"
_PANEL = "{level:<28} {icc21:>9} {icc2k:>9} {ordinal:>11} {by_interval:>11} {reliability:>12}"


def _levels(found: PanelStudy) -> Iterator[tuple[str, Instruments]]:
    """Yield the figures of every run, then of all turns together, then of the models' means."""
    yield from ((run.model, run.report.turn_level) for run in found.runs)
    if found.pooled is not None:
        yield told("agreement.turns"), found.pooled
    if found.models is not None:
        yield told("agreement.models"), found.models


def _pairs(name: str, found: Instruments) -> Iterator[str]:
    if not found.pairs:
        none = told("named", name=told("not_estimable"), detail=found.reason)
        yield laid("{name:<28} {none}", name=name, none=none)
    for pair in found.pairs:
        judges = told("pair.colon", name=name, value=f"{pair.first} / {pair.second}")
        yield laid(
            _PAIR,
            level=name if len(found.pairs) == 1 else judges,
            n=pair.n,
            pearson=number(pair.pearson, 3),
            spearman=number(pair.spearman, 3),
            kappa=number(pair.kappa),
            within=share(pair.within_2),
            error=number(pair.mean_absolute_difference),
            bias=number(pair.bias),
        )


def _panel(name: str, found: Instruments) -> Said:
    return laid(
        _PANEL,
        level=name,
        icc21=number(found.icc21, 3),
        icc2k=number(found.icc2k, 3),
        ordinal=number(found.alpha_ordinal, 3),
        by_interval=number(found.alpha_interval, 3),
        reliability=number(found.reliability, 3),
    )


def _run(run: RunPanel, contested: float) -> Iterator[str]:
    report = run.report
    yield f"{run.model}  {run.run}"
    errors = ", ".join(f"{turn} {number(value)}" for turn, value in report.measurement_error.items())
    yield told("agreement.error", errors=errors)
    for judge in run.alone:
        turns = " / ".join(number(mean) for mean in judge.turns)
        alone = told("agreement.alone", judge=judge.judge, turns=turns, share=share(judge.share_jailbreak))
        yield told("agreement.alone.missing", alone=alone, count=judge.missing) if judge.missing else alone
    yield told("agreement.contested", distance=f"{contested:g}", turns=report.contested)
    yield told("agreement.hidden", turns=report.hidden)
    for turn in report.most_contested:
        yield _turn(turn)


def _turn(turn: ContestedTurn) -> Said:
    scores = " / ".join("-" if score is None else f"{score:g}" for score in turn.scores)
    facts = {"key": turn.key, "turn": turn.turn, "scores": scores, "mean": number(turn.mean)}
    return told("agreement.turn.hidden" if turn.hidden else "agreement.turn", **facts)
