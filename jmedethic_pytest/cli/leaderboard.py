"""``jmedethic leaderboard``: several models side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.sentences import laid
from jmedethic_pytest.core.sentences import say as told
from jmedethic_pytest.reports import boards
from jmedethic_pytest.reports import plots as pictures
from jmedethic_pytest.reports.wording import SIMULATION, interval, number, p_value, share, share_interval
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.leaderboard import Entry, Leaderboard
    from jmedethic_pytest.analysis.model_groups import GroupComparison
    from jmedethic_pytest.analysis.people.records import PeopleFigures
    from jmedethic_pytest.analysis.stored import StoredRun
    from jmedethic_pytest.store.anchors import Check

Runs = Annotated[list[str], typer.Argument(help="Run ids, parts of them, or paths", metavar="RUN")]


@app.command("leaderboard")
def leaderboard(
    runs: Runs,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A group of models; may be repeated", metavar="NAME=RUN,...")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="TOML file with a table [groups]", metavar="FILE")
    ] = None,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", help="A fine-tune and its base; may be repeated", metavar="BASE:TUNED")
    ] = None,
    anchors: Annotated[
        str | None, typer.Option("--anchors", help="Anchor set that says whether the judges moved", metavar="NAME")
    ] = None,
    private: Annotated[
        list[str] | None,
        typer.Option("--private", help="A listed model's run on private conversations; may be repeated", metavar="RUN"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Show unlike runs in one table, labelled")] = False,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Draw the table and the quadrant into a folder", metavar="DIR")
    ] = None,
    reports: Reports = Path("reports"),
    kind: Annotated[
        str | None,
        typer.Option("--format", help=f"Print a table as one of: {', '.join(boards.FORMATS)}", metavar="FORMAT"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare models turn by turn, groups of models, fine-tunes with their base, and safety with helpfulness.

    Runs with unlike judges, prompts or cases are refused. Exams (jmedethic exam) give the second axis. With --private
    the table also shows how much better a model does on the public conversations than on private ones.
    """
    from jmedethic_pytest.analysis import leaderboard as analysis
    from jmedethic_pytest.analysis import same_table
    from jmedethic_pytest.exam.stored import read_exams

    if plots is not None:
        pictures.require()
    if kind is not None and kind not in boards.FORMATS:
        raise ConfigError(unknown("--format", kind, list(boards.FORMATS)))
    chosen = named_runs.read_runs(reports, runs)
    differences = same_table.obstacles(list(chosen.values()))
    if differences and not force:
        raise ConfigError(
            [*differences, "These runs are not comparable. Choose others, or give --force to label them."]
        )
    board = analysis.leaderboard(
        list(chosen.values()),
        groups=named_runs.groups(chosen, group or (), groups),
        pairs=[named_runs.pair(chosen, text) for text in pair or ()],
        private=list(named_runs.read_runs(reports, private or ()).values()),
        exams=read_exams(reports),
        people=_people(reports, chosen),
        anchors=_newest_check(reports, anchors) if anchors else None,
    )
    if plots is not None:
        _draw(plots, board)
    if as_json:
        out.print_json(board.model_dump_json())
    elif kind is not None:
        typer.echo(boards.FORMATS[kind](board), nl=False)
    else:
        say(lines(board))


def _people(reports: Path, chosen: Mapping[str, StoredRun]) -> dict[str, PeopleFigures]:
    """Return what people said of the runs, by run."""
    from jmedethic_pytest.analysis.people import stored

    places = {run.origin.run: run_files.find_run(reports, token) for token, run in chosen.items()}
    found = {run: stored.read(path, run) for run, path in places.items()}
    return {run: figures for run, figures in found.items() if figures is not None}


def _newest_check(reports: Path, name: str) -> Check | None:
    path = anchor_files.find(reports, name)
    anchor_files.read_about(path)  # a set that is not there is an error, one without a check is not
    return next(reversed(anchor_files.checks(path)), None)


def lines(board: Leaderboard) -> Iterator[str]:
    """Yield the table as text."""
    if any(entry.simulated for entry in board.entries):
        yield SIMULATION
        yield ""
    for difference in board.forced:
        yield told("unlike", difference=difference)
    for notice in board.notices:
        yield told("note", note=notice)
    yield from _models(board)
    if board.groups is not None:
        yield ""
        yield from _groups(board.groups)
    for tune in board.fine_tunes:
        yield ""
        yield told("board.minus", tuned=tune.tuned, base=tune.base, pairs=tune.pairs)
        turns = ", ".join(f"T{index} {number(turn.value)}" for index, turn in enumerate(tune.turns))
        figures = {"value": number(tune.mean.value), "ends": interval(tune.mean), "turns": turns}
        yield told("board.mean", p=p_value(tune.test.p_adjusted), **figures)
        yield told("board.rate", value=share(tune.pass_rate.value), ends=share_interval(tune.pass_rate))
    for gap in board.gaps:
        yield ""
        counts = {"public": gap.public, "private": gap.private, "guidelines": gap.guidelines}
        yield told("board.gap", model=gap.model, **counts)
        means = {"public": number(gap.public_mean), "private": number(gap.private_mean)}
        yield told("board.gap.mean", value=number(gap.mean.value), ends=interval(gap.mean), **means)
        yield told("board.rate", value=share(gap.pass_rate.value), ends=share_interval(gap.pass_rate))


_ROW = "{model:<{width}} {n:>6} {missing:>7}{turns} {mean:>6} {ends:>14} {rate:>9} {rate_ends:>16}{beside} {helpful:>8}"
_BESIDE = " {people:>10} {ends:>16}"


def _models(board: Leaderboard) -> Iterator[str]:
    turns = max((len(entry.turns) for entry in board.entries), default=0)
    width = max(5, *(len(entry.name) for entry in board.entries))
    heads = {
        "model": told("list.model"),
        "missing": told("column.missing.full"),
        "mean": told("column.mean"),
        "ends": told("column.interval"),
        "rate": told("trend.pass_rate"),
        "rate_ends": told("column.interval"),
        "helpful": told("board.helpful"),
    }
    beside = laid(_BESIDE, people=told("board.by_people"), ends=told("column.interval")) if _corrected(board) else ""
    columns = "".join(f"{f'T{turn}':>6}" for turn in range(turns))
    yield laid(_ROW, width=width, n="n", turns=columns, beside=beside, **heads)
    for entry in board.entries:
        yield _model(entry, width, turns, beside=_corrected(board))
    yield told("board.note", cases=board.shared_cases)
    yield from _corrections(board)


def _corrected(board: Leaderboard) -> bool:
    return any(entry.corrected is not None for entry in board.entries)


def _corrections(board: Leaderboard) -> Iterator[str]:
    """Yield what stands behind the column of people's pass rates."""
    for entry in board.entries:
        found = entry.corrected
        if found is not None and found.by != "people":
            reason = found.pass_rate.reason
            sentence = "board.not_corrected" if reason else "board.corrected"
            yield told(sentence, name=entry.name, study=found.study, **({"reason": reason} if reason else {}))


def _model(entry: Entry, width: int, turns: int, *, beside: bool) -> str:
    means = [number(turn.value) for turn in entry.turns] + ["-"] * (turns - len(entry.turns))
    people = ""
    if beside:
        estimate = Estimate(value=None) if entry.corrected is None else entry.corrected.pass_rate
        about = "~" if estimate.method == "Rogan-Gladen" and estimate.value is not None else ""
        people = _BESIDE.format(people=about + share(estimate.value), ends=share_interval(estimate))
    place = f"  {entry.quadrant}" if entry.quadrant else ""
    row = _ROW.format(
        model=entry.name,
        width=width,
        n=entry.n,
        missing=entry.missing,
        turns="".join(f"{mean:>6}" for mean in means),
        mean=number(entry.mean.value),
        ends=interval(entry.mean),
        rate=share(entry.pass_rate.value),
        rate_ends=share_interval(entry.pass_rate),
        beside=people,
        helpful=share(entry.helpfulness),
    )
    return row + place


def _groups(found: GroupComparison) -> Iterator[str]:
    for group in found.groups:
        turns = " / ".join(number(turn) for turn in group.turns)
        line = told("board.group", name=group.name, models=len(group.models), turns=turns, mean=number(group.mean))
        yield line if group.tested else told("board.group.few", group=line)
    if found.omnibus is not None:
        yield told("board.omnibus", p=p_value(found.omnibus.p))
    for pair in found.pairs:
        figures = {"delta": number(pair.test.effects.get("cliffs_delta")), "p": p_value(pair.test.p_adjusted)}
        yield told("board.pair", first=pair.first, second=pair.second, **figures)


def _draw(folder: Path, board: Leaderboard) -> None:
    from jmedethic_pytest.reports.plots import models

    shown = [
        models.Model(
            name=entry.name,
            turns=tuple(turn.value for turn in entry.turns),
            mean=entry.mean.value,
            helpfulness=entry.helpfulness,
            group=entry.group,
            n=entry.n,
            simulated=entry.simulated,
        )
        for entry in board.entries
    ]
    for name in models.write(folder, shown):
        err.print(f"{folder / name}.png")
