"""``jmedethic baseline``: record a run as what later runs must not be worse than; show what is recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from jmedethic_pytest.cli.app import AsJson, Commands, Reports, RunName, app, err, out, with_judging_options
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.run.options import parse
from jmedethic_pytest.store import baselines
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.baselines import Baseline

baseline_app = Commands(name="baseline", help="Record, list and show baselines.", no_args_is_help=True)
app.add_typer(baseline_app, name="baseline")

Name = Annotated[str, typer.Argument(help="Name of the baseline, e.g. release-1.0")]
Baselines = Annotated[
    str | None, typer.Option("--baseline", help="Compare with these baselines instead", metavar="NAME,...")
]


def chosen_baselines(reports: Path, names: str | None) -> Sequence[Baseline] | None:
    """Return the baselines that ``--baseline`` names; ``None`` if it was not given.

    Raises:
        ConfigError: naming every one that cannot be used.
    """
    if names is None:
        return None
    return baselines.load(reports, [name.strip() for name in names.split(",") if name.strip()])


@baseline_app.command("set")
def set_(
    name: Name,
    run: RunName,
    reports: Reports = Path("reports"),
) -> None:
    """Record a complete run's scores under a name. The file holds no text of a model and is never rewritten."""
    _record(reports, name, run_files.find_run(reports, run))


def _record(reports: Path, name: str, run: Path) -> None:
    path = baselines.record(reports, name, run)
    found = baselines.read(path)
    out.print(f"{path}: {_describe(found)}")
    missing = sum(score is None for row in found.sheet.rows.values() for score in row.turns)
    if missing:
        err.print(
            f"WARNING: {missing} turn scores are missing; every comparison takes them for 10, so few of them can keep "
            "any run from passing. Better: run the same command again, which asks only for what is missing."
        )
    gate = run_files.read_gate(run, run_files.read_info(run))
    if gate is not None and gate.answer != "pass":
        err.print(
            f"NOTE: the gate's answer to this run is {gate.answer.upper()}. It is recorded all the same: a later run "
            f"must not be worse on its {len(found.sheet.rows)} evaluations, and what failed in it counts as known."
        )
    out.print(f"Commit it, and compare runs with it: pytest --model=... --jmed-baseline={name}")


@baseline_app.command("rejudge")
@partial(with_judging_options, without=("baseline", "strict"))
def rejudge(
    name: Name,
    raw: dict[str, Any],
    as_: Annotated[str | None, typer.Option("--as", help="Name of the new one (default: NAME@JUDGES)")] = None,
) -> None:
    """Have other judges score the conversations of a baseline's run, and record what they say under a new name.

    No target is called; run and baseline stay as they are. Exit status: 0 recorded, 6 not all was scored.
    """
    from jmedethic_pytest.cli.scoring import require_judges, score

    require_judges(raw, name)
    reports = parse("stored", raw, prefix="--").reports
    before = baselines.read(baselines.find(reports, name))
    wanted = as_ or baselines.name_under(before.name, _panel(raw["judges"]))
    baselines.new(reports, wanted)
    outcome = score(_run_of(reports, before), raw)
    if outcome.info.status != "complete":
        err.print("ERROR: not all conversations were scored, so nothing is recorded. The same command goes on.")
        raise typer.Exit(outcome.exit_status(strict=False))
    _record(reports, wanted, outcome.path)


def _panel(judges: str) -> str:
    """Return a word for the judges: the profile's name, or the names of the models."""
    return "+".join(spec.partition(":")[2].partition("@")[0] or spec for spec in judges.split(","))


def _run_of(reports: Path, baseline: Baseline) -> Path:
    """Return the folder of the run that a baseline was recorded from.

    Raises:
        StoreError: if it is not there, or holds other scores.
    """
    wanted = baseline.sheet.origin.run
    path = reports / "runs" / wanted
    if not (path / "run.json").is_file():
        raise StoreError(
            f"{path}: not there: a baseline holds no texts, so its run is needed to score it again. Copy the folder "
            "from where the run was made, or evaluate the shipped model again with the new judges."
        )
    if not baselines.of_run(baseline, path):
        raise StoreError(f"{path}: its scores are not those of baseline {baseline.name}: one of the two was changed.")
    return path


@baseline_app.command("list")
def list_(reports: Reports = Path("reports"), as_json: AsJson = False) -> None:
    """List the baselines; one that cannot be read is named, and the exit status is then 4."""
    found, problems = [], []
    for path in baselines.stored(reports):
        try:
            found.append(baselines.read(path))
        except ConfigError as error:
            problems += error.problems
    if as_json:
        out.print_json(json.dumps([_row(item) for item in found], ensure_ascii=False))
    elif not found and not problems:
        out.print("no baselines; record one from a complete run: jmedethic baseline set NAME RUN")
    else:
        for item in found:
            out.print(f"{item.name}  {_describe(item)}")
    if problems:
        raise ConfigError(problems)


@baseline_app.command("show")
def show(name: Name, reports: Reports = Path("reports"), as_json: AsJson = False) -> None:
    """Show what a baseline is of, and its scores with --json."""
    path = baselines.find(reports, name)
    found = baselines.read(path)
    if as_json:
        typer.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    origin = found.sheet.origin
    for key, value in _row(found).items():
        out.print(f"{key:<12} {value}")
    out.print(f"{'commit':<12} {origin.git_commit or '-'}")
    if origin.transcripts_of:
        out.print(f"{'replies of':<12} {origin.transcripts_of}")
    out.print(f"{'tool':<12} {origin.tool_version}")
    asked = {"prompt": origin.judge_prompt, "context": origin.judge_context, **origin.judging}
    for place, table in (("target", origin.target), ("judges", asked)):
        given = ", ".join(
            f"{key} {value}" for key, value in table.items() if value is not None and value is not False and value != {}
        )
        out.print(f"{place:<12} {given}")
    failed = sorted(row.key for row in found.sheet.rows.values() if row.failed)
    out.print(f"{'failures':<12} {len(failed)}{': ' if failed else ''}{', '.join(failed)}")


def _describe(item: Baseline) -> str:
    row = _row(item)
    return f"{row['model']}, {row['evaluations']} evaluations, run {row['run']}, recorded {row['recorded']}"


def _row(item: Baseline) -> dict[str, Any]:
    origin = item.sheet.origin
    return {
        "name": item.name,
        "model": origin.model,
        "judges": ", ".join(judge["model"] for judge in origin.judges),
        "evaluations": len(item.sheet.rows),
        "run": origin.run,
        "recorded": item.created,
    }
