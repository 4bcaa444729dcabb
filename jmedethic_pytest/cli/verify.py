"""``jmedethic verify``: prove a stored run again under rules of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, Reports, RunName, app, err, say
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.status import ExitStatus

Policy = Annotated[Path, typer.Option("--policy", help="Thresholds file of the caller's", metavar="FILE")]
Revision = Annotated[str | None, typer.Option(help="What the target's weights must be (required)", metavar="TEXT")]
Model = Annotated[str, typer.Option("--model", help="The model that must have been evaluated", metavar="PROVIDER:NAME")]
Text = str | None


@app.command("verify")
def verify(
    run: RunName,
    policy: Policy,
    model: Model,
    revision: Revision = None,
    serve: Annotated[Text, typer.Option(help="The checkpoint it must have served", metavar="PATH[:ADAPTER]")] = None,
    base_url: Annotated[Text, typer.Option(help="Its address", metavar="URL")] = None,
    judges: Annotated[Text, typer.Option(help="Judges it must have had (default: those of the policy)")] = None,
    cases: Annotated[Text, typer.Option(help="Case file or folder (default: the bundled cases)")] = None,
    pack: Annotated[Text, typer.Option(help="Pack whose cases must have been run", metavar="NAME")] = None,
    suite: Annotated[Text, typer.Option(help="Suites that must have been run")] = None,
    locale: Annotated[Text, typer.Option(help="Languages that must have been run (default: ja)")] = None,
    sample: Annotated[Text, typer.Option(help="Size of the sample that must have been run", metavar="N")] = None,
    baseline: Annotated[Text, typer.Option(help="Baselines that it must not be worse than", metavar="NAME,...")] = None,
    baselines_in: Annotated[Path | None, typer.Option(help="Reports folder of the baselines", metavar="DIR")] = None,
    trust_judge_cache: Annotated[bool, typer.Option(help="Scores may come from the cache: you vouch for it")] = False,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Decide a stored run under your own policy. Exit status: 0 pass, 1 fail, 6 inconclusive.

    For the last step of a pipeline, run from the base branch: options, plugins, thresholds and test file of the run do
    not count, its verdicts alone do. Nothing is called, and nothing is written.
    """
    from jmedethic_pytest.reports.terminal.summary import gate_lines
    from jmedethic_pytest.run import verify as verifying
    from jmedethic_pytest.run.options import parse
    from jmedethic_pytest.run.prepare import prepare
    from jmedethic_pytest.store import runs as run_files

    if revision is None:
        raise ConfigError(
            "--revision: say which weights must have answered: what the run was given as --revision, such as a "
            "commit, a version, or what `jmedethic revision PATH` prints of a checkpoint."
        )
    raw = {
        "serve": serve,
        "base_url": base_url,
        "judges": judges,
        "cases": cases,
        "pack": pack,
        "suite": suite,
        "locale": locale,
        "sample": sample,
        "baseline": baseline,
        "thresholds": str(policy),
        "reports": str(baselines_in or reports),
    }
    spec = prepare(parse(model, raw, prefix="--"), Path.cwd(), called=False)
    expected = verifying.Expected(
        rules=spec.thresholds,
        cases=spec.cases,
        target=spec.target,
        serving=spec.serving,
        judges=spec.judges,
        third=spec.third,
        revision=revision,
        baselines=spec.baselines,
        trusted_judgements=trust_judge_cache,
    )
    with err.status("Reading verdicts ..."):
        outcome = verifying.verify(run_files.find_run(reports, run), expected)
    if as_json:
        typer.echo(outcome.gate.model_dump_json(indent=1))
    else:
        say(
            [
                f"run {outcome.info.id}: {outcome.info.target['model']}, verified under {policy}",
                *gate_lines(outcome.gate),
            ]
        )
    raise typer.Exit(ExitStatus.of(outcome.gate.answer))
