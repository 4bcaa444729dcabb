"""``jmedethic judges anchors``: freeze conversations, and have judges score them again before a gate is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from jmedethic_pytest.cli.app import AsJson, Commands, Force, Reports, err, out, say, with_judging_options
from jmedethic_pytest.cli.judges.app import Seed, judges_app
from jmedethic_pytest.core.errors import BudgetSpent
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.run import anchors
from jmedethic_pytest.run.options import JUDGING, parse
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.anchors import Check, JudgeCheck

anchors_app = Commands(
    name="anchors", help="Conversations that judges score again, to see whether they moved.", no_args_is_help=True
)
judges_app.add_typer(anchors_app)

Name = Annotated[str, typer.Argument(help="Name of the anchor set, for gate.anchors", metavar="NAME")]
_OF_USE = ("judges", "concurrency", "budget", "thresholds", "reports")
_WITHOUT = tuple(option.name for option in JUDGING if option.name not in _OF_USE)


@anchors_app.command("freeze")
@partial(with_judging_options, without=_WITHOUT)
def freeze(
    name: Name,
    runs: Annotated[
        list[str], typer.Argument(help="Stored runs of the release and of two other models", metavar="RUN")
    ],
    raw: dict[str, Any],
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Freeze two conversations of every guideline with the mean of two scorings. Do it when a baseline is recorded.

    Only judges are called. The folder holds texts of models and is readable by you alone; keep it out of training data.
    """
    settings = parse("stored", raw, prefix="--")
    path = anchor_files.find(settings.reports, name)
    judge_files.free(path / "anchors.json", force=force)
    paths = [run_files.find_run(settings.reports, run) for run in dict.fromkeys(runs)]
    found, sources = anchors.prepare_freeze(paths, settings, seed)
    with _ended_by_budget(), _watched("freezing", anchors.SCORINGS * len(found.verdicts)) as watch:
        about, scored = anchors.freeze(name, path, found, sources, watch)
    out.print(f"{path}: {about.conversations} conversations, {about.turns} turns, {scored.calls} calls to judges")
    for source in about.sources:
        out.print(f"  {source.conversations:>4} of {source.model} ({source.run})")
    out.print(
        f'Before a gate: jmedethic judges anchors check {name}; in the thresholds file: [gate] anchors = "{name}"'
    )


@anchors_app.command("check")
@partial(with_judging_options, without=_WITHOUT)
def check(name: Name, raw: dict[str, Any], as_json: AsJson = False) -> None:
    """Score the anchors once more, past every cache, and say whether the judges moved.

    Only judges are called. Exit status: 0 stable or unclear (a comparison is then corrected and widened), 6 moved, or
    nothing could be told, 7 budget spent.
    """
    settings = parse("stored", raw, prefix="--")
    frozen = anchor_files.read(anchor_files.find(settings.reports, name))
    anchor_files.checks(frozen.path)  # damaged ones are told before anything is paid
    found = anchors.prepare_check(frozen, settings)
    with _ended_by_budget(), _watched("checking", len(found.verdicts)) as watch:
        done = anchors.check(frozen, found, watch)
    if as_json:
        out.print_json(done.model_dump_json())
    else:
        say(_lines(done, anchor_files.checks(frozen.path)))
    unknown = done.whole.mean.value is None
    raise typer.Exit(ExitStatus.INCONCLUSIVE if done.answer == "moved" or unknown else ExitStatus.PASS)


@anchors_app.command("show")
def show(name: Name, reports: Reports = Path("reports"), as_json: AsJson = False) -> None:
    """Show all checks of an anchor set, and the chart that sees slow trends. Nothing is called."""
    known = anchor_files.checks(_there(anchor_files.find(reports, name)))
    if as_json:
        out.print_json(f"[{','.join(item.model_dump_json() for item in known)}]")
        return
    for item in known:
        out.print(f"{item.at}  {item.answer:<8} {_figure(item.whole)}")
    say(_chart(known))


def _there(path: Path) -> Path:
    """Return the folder of a set, if there is one that can be read."""
    anchor_files.read_about(path)
    return path


def _lines(done: Check, known: Sequence[Check]) -> Iterator[str]:
    """Yield a check as text."""
    yield f"the judges are {done.answer}"
    for item in (done.whole, *done.judges):
        yield f"  {item.judge:<40} {item.answer:<8} {_figure(item)}"
    for name, found in done.bands.items():
        if found.value is not None:
            yield f"  band {name:<9} {found.value:+.3f} points on {found.n} turns"
    yield from (f"  {reason}" for reason in done.reasons)
    yield from _chart(known)
    cost = "unknown" if done.cost_usd is None else f"${done.cost_usd:.2f}"
    yield f"{done.calls} calls to judges, cost {cost}"
    if done.answer == "moved":
        yield "The gate is inconclusive until today's judges have scored the baseline: jmedethic baseline rejudge"


def _figure(item: JudgeCheck) -> str:
    mean, low = item.mean, item.share.value
    if mean.value is None:
        return "nothing can be told"
    text = f"{mean.value:+.3f} points (SE {mean.error:.3f})"
    text += f", share at or below 2 {low:+.1%}" if low is not None else ""
    return f"{text}, sd {number(item.sd_frozen)} -> {number(item.sd_now)}"


def _chart(known: Sequence[Check]) -> Iterator[str]:
    from jmedethic_pytest.analysis import anchoring

    if not known:
        yield "no check yet: jmedethic judges anchors check"
        return
    for judge in (None, *known[-1].panel.judges):
        points = anchoring.trend(known, judge)
        if points and points[-1].signals:
            last, who = points[-1], judge or "the panel"
            found = f"{last.value:+.2f} standard errors over {len(points)} checks (limit {last.limit:.2f})"
            yield f"SLOW TREND of {who}: {found}"
            yield "  Score the anchors again; if it stays, treat the judge as replaced: jmedethic baseline rejudge"


@contextmanager
def _ended_by_budget() -> Iterator[None]:
    try:
        yield
    except BudgetSpent as error:
        err.print(f"ERROR: {error}")
        raise typer.Exit(ExitStatus.BUDGET) from None


@contextmanager
def _watched(what: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
