"""``jmedethic compare`` and ``jmedethic gate``: decide from stored runs, without asking any model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, app, err, out, say
from jmedethic_pytest.cli.baseline import Baselines, chosen_baselines
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.sentences import say as told
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.reports.wording import SIMULATION
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
        out.print(told("compared.candidate", name=now.name, model=found.candidate_model))
        say(comparison_lines(found, words))
    raise typer.Exit(ExitStatus.of(found.answer))


@app.command("gate")
def gate(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Run ids, parts of them, paths, or 'latest'; beside several runs exams"),
    ],
    baseline: Baselines = None,
    rules: Annotated[
        Path | None,
        typer.Option("--thresholds", help="Thresholds to apply instead of those the run was made with", metavar="FILE"),
    ] = None,
    comment: Annotated[
        Path | None, typer.Option("--comment", help="Write the answer of several runs as Markdown", metavar="FILE")
    ] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Decide the gate of a stored run again, or of several together. Exit status: 0 pass, 1 fail, 6 inconclusive.

    Several runs are decided suite by suite, by [policy] of the thresholds file. Nothing of the runs is written: their
    own gate.json stays what it was.
    """
    from jmedethic_pytest.reports.terminal.summary import summary_lines

    if len(runs) > 1:
        _together(runs, baseline, rules, comment, reports, as_json=as_json)
    if comment is not None:
        raise ConfigError("--comment: of one run there is comment.md in its folder; name several runs.")
    with err.status("Reading scores ..."):
        outcome = load_run(runs[0], thresholds=rules, baseline=baseline, reports=reports)
    if as_json:
        typer.echo(outcome.gate.model_dump_json(indent=1))
    else:
        say(summary_lines(outcome))
    raise typer.Exit(ExitStatus.of(outcome.gate.answer))


def _together(
    runs: list[str], baseline: str | None, rules: Path | None, comment: Path | None, reports: Path, *, as_json: bool
) -> NoReturn:
    """Decide several runs, and end the command with their answer."""
    from jmedethic_pytest.reports import ci, markdown
    from jmedethic_pytest.reports.terminal.summary import gate_lines
    from jmedethic_pytest.run import together

    with err.status("Reading scores ..."):
        chosen = chosen_baselines(reports, baseline)
        found = together.decide(runs, reports=reports, thresholds=rules, baselines=chosen)
    if as_json:
        typer.echo(found.gate.model_dump_json(indent=1))
    else:
        say([*([SIMULATION] if found.simulated else []), *found.head(), *gate_lines(found.gate)])
    if comment is not None:
        page = markdown.decision(found.gate, found.head(), markdown.COMMENT_LIMIT, simulated=found.simulated)
        files.replace(comment, page)
    for line in ci.publish_decision(found.gate, found.head(), os.environ, simulated=found.simulated):
        out.file.write(f"{line}\n")
    raise typer.Exit(ExitStatus.of(found.gate.answer))
