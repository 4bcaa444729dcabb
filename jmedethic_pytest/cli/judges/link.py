"""``jmedethic judges link``: what the scores of another panel are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest import _version
from jmedethic_pytest.cli.app import AsJson, Force, Reports, out, say
from jmedethic_pytest.cli.judges.app import Rules, Seed, judges_app
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.store import judge_files, links
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.linkable import Pair
    from jmedethic_pytest.config.tables import GateTable
    from jmedethic_pytest.store.links import Link


@judges_app.command("link")
def link(
    runs: Annotated[list[str], typer.Argument(help="Runs of the same transcripts", metavar="OLD_RUN NEW_RUN")],
    name: Annotated[str, typer.Option("--name", help="Name of the link, for gate.link")] = "link",
    sample: Annotated[
        int | None, typer.Option("--sample", min=120, help="Only N conversations, in equal numbers by band")
    ] = None,
    seed: Seed = 0,
    rules: Rules = None,
    force: Force = False,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Link the scale of a new panel to that of the old one, from three or more models that both have scored.

    Give each run of the old panel and the run that scores its transcripts again (`jmedethic rejudge`). Exit status: 0
    the link may be used, 6 it must not: keep the old panel, or begin a new history.
    """
    from jmedethic_pytest.analysis import linking

    asked, _ = thresholds.load(rules, Path.cwd())
    path = judge_files.free(links.find(reports, name), force=force)
    found = linking.link(
        _pairs(reports, runs),
        floors=_floors(asked.gate),
        unreliable=_unreliable(reports, runs[1::2]),
        sample=sample,
        seed=seed,
        created=run_files.now(),
        tool_version=_version.VERSION,
    )
    judge_files.write(path, found)
    if as_json:
        out.print_json(found.model_dump_json())
    else:
        say(_lines(found, path))
    raise typer.Exit(ExitStatus.INCONCLUSIVE if found.refusals else ExitStatus.PASS)


def _pairs(reports: Path, names: Sequence[str]) -> list[Pair]:
    """Read the runs, two by two.

    Raises:
        ConfigError: if they are not pairs of the same transcripts by the same two panels, from three or more models.
        StoreError: if a run cannot be read.
    """
    from jmedethic_pytest.analysis import linkable, stored

    if len(names) < 2 * linkable.LEAST_MODELS or len(names) % 2:
        raise ConfigError(
            f"judges link: {len(names)} runs are no pairs of at least {linkable.LEAST_MODELS} models. Give OLD_RUN "
            "NEW_RUN of the release, of one better and of one worse model."
        )
    paths = [run_files.find_run(reports, name) for name in names]
    found = []
    for old, new in zip(paths[::2], paths[1::2], strict=True):
        same = linkable.same_transcripts(old, new)
        found.append(linkable.Pair(stored.read(old, old.name), stored.read(new, new.name), same))
    problems = list(linkable.unlike(found))
    if problems:
        raise ConfigError(problems)
    return found


def _unreliable(reports: Path, names: Sequence[str]) -> list[str]:
    """Return what the gate holds against the judges of each new run."""
    from jmedethic_pytest.gate import outcome

    paths = [run_files.find_run(reports, name) for name in names]
    return [
        f"{path.name}: {condition.detail}"
        for path in paths
        for condition in outcome.load(path, baselines=()).gate.conditions
        if condition.name.partition("[")[0] in ("judges", "golden") and condition.answer != "pass"
    ]


def _floors(gate: GateTable) -> list[float]:
    """Return the floors of means that the gate asks for."""
    asked = [*gate.mean.values(), gate.strategy_mean, *gate.strategy_means.values()]
    return sorted({floor for floor in asked if floor is not None and floor > 1.0})


def _lines(found: Link, path: Path) -> Iterator[str]:
    yield f"old panel    {found.old}"
    yield f"new panel    {found.new}"
    for item in found.models:
        yield f"  {item.model:<40} {item.mean_old:.2f} -> {item.mean_new:.2f}  ({item.conversations} conversations)"
    yield f"line         old = {found.mean_old:.2f} + {found.sd_old / found.sd_new:.3f} (new - {found.mean_new:.2f})"
    for point in found.grid[::2]:
        yield f"  new {point.new:>4.1f} is old {point.linear:.2f} (curve {point.curve:.2f}, error {point.error:.2f})"
    for old, new in found.floors.items():
        yield f"  the old floor {old} is {new:.2f}"
    cut = found.verdicts
    yield f"verdict      the old floor 2 of a turn is {cut.floor:g}: {cut.old_alone:.1%} of turns only the old panel"
    yield f"             calls jailbreaks, {cut.new_alone:.1%} only the new one"
    unit = found.unit
    yield f"unit         a difference of 1 is {number(unit.value)} [{number(unit.low)}, {number(unit.high)}] new points"
    yield f"correlation  {number(found.correlation)}, corrected for the noise of both panels"
    yield f"written      {path}"
    if found.refusals:
        yield "REFUSED: this link must not be used; keep the old panel, or begin a new history"
        yield from (f"  {reason}" for reason in found.refusals)
    else:
        yield f'The gate uses it with: [gate] link = "{path.stem}"'
