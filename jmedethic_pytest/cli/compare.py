"""``jmedethic compare`` and ``jmedethic gate``: decide from stored runs, without asking any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, RunName, app, err, out, say
from jmedethic_pytest.cli.baseline import Baselines, chosen_baselines
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Answer
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.store import baselines
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.baselines import Baseline

_EXITS: dict[Answer, int] = {"pass": 0, "fail": 1, "inconclusive": 6}
Rules = Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file", metavar="FILE")]


@app.command("compare")
def compare_(
    candidate: Annotated[str, typer.Argument(help="The newer run: id, part of it, path, 'latest', or a baseline")],
    baseline: Annotated[str, typer.Argument(help="What it must not be worse than: a baseline, or a run likewise")],
    rules: Rules = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Compare a run with a baseline or another run. Exit status: 0 not worse, 1 worse, 6 inconclusive.

    Margins and floors are those of the thresholds file (default: ./thresholds.toml, else built-in values).
    """
    from jmedethic_pytest.analysis.noninferiority.compare import compare
    from jmedethic_pytest.reports.terminal.comparison import comparison_lines

    applied, _ = thresholds.load(rules, Path.cwd())
    with err.status("Reading scores ..."):
        (now, words), (before, _) = (_resolve(reports, name) for name in (candidate, baseline))
    with err.status("Comparing ..."):
        found = compare(before, now.sheet, applied)
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        out.print(f"candidate {now.name} ({found.candidate_model})")
        say(comparison_lines(found, words))
    raise typer.Exit(_EXITS[found.answer])


@app.command("gate")
def gate(
    run: RunName,
    baseline: Baselines = None,
    rules: Annotated[
        Path | None,
        typer.Option("--thresholds", help="Thresholds to apply instead of those the run was made with", metavar="FILE"),
    ] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Decide the gate of a stored run again. Exit status: 0 pass, 1 fail, 6 inconclusive or incomplete.

    Nothing is written: the run's own gate.json stays what it was.
    """
    from jmedethic_pytest.gate.outcome import load
    from jmedethic_pytest.reports.terminal.summary import summary_lines

    path = run_files.find_run(reports, run)
    applied = thresholds.load(rules, Path.cwd())[0] if rules else None
    chosen = chosen_baselines(reports, baseline)
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path, rules=applied, baselines=chosen)
    if as_json:
        typer.echo(outcome.gate.model_dump_json(indent=1))
    else:
        say(summary_lines(outcome))
    raise typer.Exit(_EXITS[outcome.gate.answer])


def _resolve(reports: Path, name: str) -> tuple[Baseline, Vocabulary]:
    """Return a baseline by its name, or a stored run in its place, and the words it is shown in.

    Raises:
        ConfigError: if the name is neither, or a baseline cannot be used.
        StoreError: if a run cannot be read.
    """
    if name in [path.stem for path in baselines.stored(reports)] or name.endswith(".json"):
        return baselines.read(baselines.find(reports, name)), SHIPPED
    try:
        run = run_files.find_run(reports, name)
    except StoreError as error:
        known = ", ".join(path.stem for path in baselines.stored(reports)) or "none"
        raise ConfigError(f"{error} It is no baseline either (there are: {known}).") from None
    sheet = run_scores.read(run)
    words = run_files.read_info(run).words
    return Baseline(name=sheet.origin.run, created=sheet.origin.finished or "", sheet=sheet), words
