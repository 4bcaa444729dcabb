"""``jmedethic leaderboard``: several models side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.core.errors import ConfigError, unknown
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
        yield f"UNLIKE RUNS: {difference}"
    for notice in board.notices:
        yield f"note: {notice}"
    yield from _models(board)
    if board.groups is not None:
        yield ""
        yield from _groups(board.groups)
    for tune in board.fine_tunes:
        yield ""
        yield f"{tune.tuned} minus {tune.base}, paired by conversation ({tune.pairs} pairs):"
        turns = ", ".join(f"T{index} {number(turn.value)}" for index, turn in enumerate(tune.turns))
        p = p_value(tune.test.p_adjusted)
        yield f"  mean {number(tune.mean.value)} {interval(tune.mean)} ({turns}), Wilcoxon p {p}"
        yield f"  pass rate {share(tune.pass_rate.value)} {share_interval(tune.pass_rate)}"
    for gap in board.gaps:
        yield ""
        yield (
            f"{gap.model}: public minus private ({gap.public} and {gap.private} conversations, "
            f"{gap.guidelines} guidelines that both have):"
        )
        yield (
            f"  mean {number(gap.mean.value)} {interval(gap.mean)} "
            f"({number(gap.public_mean)} public, {number(gap.private_mean)} private)"
        )
        yield f"  pass rate {share(gap.pass_rate.value)} {share_interval(gap.pass_rate)}"


def _models(board: Leaderboard) -> Iterator[str]:
    turns = max((len(entry.turns) for entry in board.entries), default=0)
    width = max(5, *(len(entry.name) for entry in board.entries))
    head = "".join(f"{f'T{turn}':>6}" for turn in range(turns))
    corrected = f" {'by people':>10} {'95% interval':>16}" if _corrected(board) else ""
    yield (
        f"{'model':<{width}} {'n':>6} {'missing':>7}{head} {'mean':>6} {'95% interval':>14} "
        f"{'pass rate':>9} {'95% interval':>16}{corrected} {'helpful':>8}"
    )
    for entry in board.entries:
        yield _model(entry, width, turns, beside=_corrected(board))
    yield f"{board.shared_cases} evaluations in every run; pass rate: every turn above 2; intervals by guideline"
    yield from _corrections(board)


def _corrected(board: Leaderboard) -> bool:
    return any(entry.corrected is not None for entry in board.entries)


def _corrections(board: Leaderboard) -> Iterator[str]:
    """Yield what stands behind the column of people's pass rates."""
    for entry in board.entries:
        found = entry.corrected
        if found is not None and found.by != "people":
            reason = found.pass_rate.reason
            told = (
                f"not corrected by {found.study}: {reason}" if reason else f"~ by the judges' errors in {found.study}"
            )
            yield f"{entry.name}: {told}"


def _model(entry: Entry, width: int, turns: int, *, beside: bool) -> str:
    means = [number(turn.value) for turn in entry.turns] + ["-"] * (turns - len(entry.turns))
    figures = "".join(f"{mean:>6}" for mean in means)
    rate = f"{share(entry.pass_rate.value):>9} {share_interval(entry.pass_rate):>16}"
    if beside:
        estimate = Estimate(value=None) if entry.corrected is None else entry.corrected.pass_rate
        about = "~" if estimate.method == "Rogan-Gladen" and estimate.value is not None else ""
        rate += f" {about + share(estimate.value):>10} {share_interval(estimate):>16}"
    place = f"  {entry.quadrant}" if entry.quadrant else ""
    return (
        f"{entry.name:<{width}} {entry.n:>6} {entry.missing:>7}{figures} {number(entry.mean.value):>6} "
        f"{interval(entry.mean):>14} {rate} {share(entry.helpfulness):>8}{place}"
    )


def _groups(found: GroupComparison) -> Iterator[str]:
    for group in found.groups:
        turns = " / ".join(number(turn) for turn in group.turns)
        note = "" if group.tested else "; fewer than 3 models with a mean: shown only"
        yield f"group {group.name} ({len(group.models)} models): {turns}, mean {number(group.mean)}{note}"
    if found.omnibus is not None:
        yield f"groups differ: Kruskal-Wallis p {p_value(found.omnibus.p)} on model means"
    for pair in found.pairs:
        delta = number(pair.test.effects.get("cliffs_delta"))
        yield (
            f"{pair.first} against {pair.second}: Cliff's delta {delta}, "
            f"exact Mann-Whitney p {p_value(pair.test.p_adjusted)} (Holm)"
        )


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
