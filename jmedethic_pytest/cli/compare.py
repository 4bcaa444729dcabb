"""``jmedethic compare`` and ``jmedethic gate``: decide from stored runs, without asking any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, RunName, app, err, out, say
from jmedethic_pytest.cli.baseline import Baselines
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.run.stored import find, load_run, rules_for

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

    with err.status("Reading scores ..."):
        (now, words), (before, _) = (find(reports, name) for name in (candidate, baseline))
    applied = rules_for(rules, now.sheet, words)
    with err.status("Comparing ..."):
        found = compare(before, now.sheet, applied, words)
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        out.print(f"candidate {now.name} ({found.candidate_model})")
        say(comparison_lines(found, words))
    raise typer.Exit(ExitStatus.of(found.answer))


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
    from jmedethic_pytest.reports.terminal.summary import summary_lines

    with err.status("Reading scores ..."):
        outcome = load_run(run, thresholds=rules, baseline=baseline, reports=reports)
    if as_json:
        typer.echo(outcome.gate.model_dump_json(indent=1))
    else:
        say(summary_lines(outcome))
    raise typer.Exit(ExitStatus.of(outcome.gate.answer))
