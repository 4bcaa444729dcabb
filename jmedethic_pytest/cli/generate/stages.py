"""``jmedethic generate``: build a benchmark, stage by stage or all at once; any stage can be stopped and resumed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cli.app import AsJson, err, out
from jmedethic_pytest.cli.generate.progress import watching
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError
from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.chain import Options
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery import files, planning
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress
from jmedethic_pytest.generation.machinery.stages import Stage
from jmedethic_pytest.models import budget as budgets

generate_app = typer.Typer(
    name="generate",
    help="Build a benchmark: questions, validation, strategies, conversations, split. Content warning.",
    no_args_is_help=True,
)
DEMO = "demo"
EXIT_INTERRUPTED = 2
EXIT_BUDGET = 7

ConfigFile = Annotated[
    str, typer.Option("--config", help=f"Settings; '{DEMO}' for the scripted demo that needs no key", metavar="FILE")
]
Name = Annotated[str | None, typer.Option("--name", help="Folder below reports/generation/", metavar="NAME")]
Guidelines = Annotated[
    str | None, typer.Option("--guidelines", help="'project', 'principles' or a JSON file of your own", metavar="FILE")
]
Reports = Annotated[Path | None, typer.Option("--reports", help="Where everything is written", metavar="DIR")]
Budget = Annotated[str | None, typer.Option("--budget", help="The most to spend: 5usd, 2e6tokens or 500calls")]
Concurrency = Annotated[int | None, typer.Option("--concurrency", help="Items in work at a time", metavar="N", min=1)]
Force = Annotated[bool, typer.Option("--force", help="Accept a model that is generator and validator")]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew; what is there is kept under another name")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and ask nothing")]
KeepAnswers = Annotated[
    bool, typer.Option("--keep-answers", help="Keep the words of answers to harmful requests, not only digests")
]


def settings(
    file: str,
    *,
    name: str | None = None,
    guidelines: str | None = None,
    reports: Path | None = None,
    budget: str | None = None,
    concurrency: int | None = None,
    keep_answers: bool = False,
) -> Config:
    """Return the settings of a file with what the command line says otherwise.

    Raises:
        ConfigError: see :func:`jmedethic_pytest.generation.machinery.config.load`.
    """
    found = configs.read_sample() if file == DEMO else configs.load(Path(file))
    given: dict[str, Any] = {
        "name": name,
        "guidelines": guidelines,
        "reports": reports,
        "budget": budget,
        "concurrency": concurrency,
        "keep_answers": keep_answers or None,
    }
    changed = {key: value for key, value in given.items() if value is not None}
    if guidelines is not None and guidelines != found.guidelines:
        changed["only"] = ()  # Ids of another list.
    return configs.changed(found, changed)


def _stage_command(stage: Stage, text: str) -> None:
    """Add the command of one stage."""

    @generate_app.command(stage.name, help=text)
    def command(
        config: ConfigFile = "generate.toml",
        name: Name = None,
        guidelines: Guidelines = None,
        reports: Reports = None,
        budget: Budget = None,
        concurrency: Concurrency = None,
        keep_answers: KeepAnswers = False,
        force: Force = False,
        restart: Restart = False,
        dry_run: DryRun = False,
    ) -> None:
        found = settings(
            config,
            name=name,
            guidelines=guidelines,
            reports=reports,
            budget=budget,
            concurrency=concurrency,
            keep_answers=keep_answers,
        )
        run_stages(found, (stage,), Options(force=force, restart=restart), dry_run=dry_run)


@generate_app.command("all")
def all_(
    config: ConfigFile = "generate.toml",
    name: Name = None,
    guidelines: Guidelines = None,
    reports: Reports = None,
    budget: Budget = None,
    concurrency: Concurrency = None,
    keep_answers: KeepAnswers = False,
    force: Force = False,
    restart: Restart = False,
    dry_run: DryRun = False,
) -> None:
    """Run the whole chain: plan, stages, report. The same command resumes it; nothing finished is paid again."""
    found = settings(
        config,
        name=name,
        guidelines=guidelines,
        reports=reports,
        budget=budget,
        concurrency=concurrency,
        keep_answers=keep_answers,
    )
    stages = chain.wanted(found)
    run_stages(found, stages, Options(force=force, restart=restart), dry_run=dry_run)
    if not dry_run:
        show_report(found)


@generate_app.command("report")
def report(
    config: ConfigFile = "generate.toml",
    name: Name = None,
    guidelines: Guidelines = None,
    reports: Reports = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of everything: funnel, drops by reason, cost, cells, diversity, validators. Counts, no texts."""
    show_report(settings(config, name=name, guidelines=guidelines, reports=reports), as_json=as_json)


@generate_app.command("init")
def init(
    file: Annotated[Path, typer.Argument(help="File to write")] = Path("generate.toml"),
    guidelines: Annotated[
        Path | None, typer.Option("--guidelines", help="Write the ten principles there too, as a start", metavar="FILE")
    ] = None,
) -> None:
    """Write the commented settings of the demo, to be changed into your own."""
    wanted = {file: configs.sample()}
    if guidelines is not None:
        wanted[guidelines] = vocabulary_files.text("principles")
    there = [path for path in wanted if path.exists()]
    if there:
        raise ConfigError([f"{path}: is there already. Give another name, or remove it." for path in there])
    for path, text in wanted.items():
        files.replace(path, text)
        out.print(f"written: {path}", markup=False)


def run_stages(
    config: Config, stages: Sequence[Stage], options: Options, *, dry_run: bool, as_json: bool = False
) -> None:
    """Show the plan, then run stages one after the other.

    With ``as_json`` standard output is left to the caller, or gets the plan as JSON if nothing is run.

    Raises:
        typer.Exit: 2 if interrupted, 7 if the budget is spent.
    """
    chain.check(config, tuple(stages), options)
    planned = planning.plan(config, stages)
    for line in planning.lines(planned):
        (out if dry_run and not as_json else err).print(line, markup=False)
    if dry_run:
        if as_json:
            out.print_json(json.dumps([planning.row(item) for item in planned]), highlight=False)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    budget = budgets.within(config.limit, config.prices)
    for stage in stages:
        with watching(stage.name) as progress:
            _survive(
                lambda stage=stage, progress=progress: asyncio.run(  # type: ignore[misc]
                    _run(config, stage, progress, options, budget, err if as_json else out)
                )
            )


async def _run(
    config: Config, stage: Stage, progress: Progress, options: Options, budget: budgets.Budget | None, to: Console
) -> None:
    for summary in await chain.run(config, stage, progress, options=options, budget=budget):
        to.print(line_of(summary), markup=False)


def _survive(step: Callable[[], None]) -> None:
    """Word the ends that are no errors; everything finished is stored."""
    try:
        step()
    except KeyboardInterrupt:
        err.print("interrupted: what is finished is stored, the same command goes on from there", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BudgetSpent as error:
        err.print(str(error), markup=False)
        raise typer.Exit(EXIT_BUDGET) from None


def line_of(summary: Summary) -> str:
    """Return one line about a finished stage: counts and digest, no text of a model."""
    drops = ", ".join(f"{count} {reason}" for reason, count in summary.drops.items())
    mark = " [SIMULATION]" if summary.header.simulation else ""
    return (
        f"{summary.header.stage}: {summary.kept} kept of {summary.items} items; dropped: {drops or 'none'}; "
        f"digest {summary.digest[:12]}{mark}"
    )


def show_report(config: Config, *, as_json: bool = False) -> None:
    """Write the report of a benchmark and print it."""
    from jmedethic_pytest.generation.output import report as reporting
    from jmedethic_pytest.generation.output.report_text import lines, markdown

    made = reporting.build(config)
    files.replace(config.folder / "report.json", made.model_dump_json(indent=1) + "\n")
    files.replace(config.folder / "report.md", markdown(made))
    if as_json:
        out.print_json(made.model_dump_json(), highlight=False)
        return
    for line in lines(made):
        out.print(line, markup=False)
    out.print(f"report: {config.folder / 'report.md'}", markup=False)


_TEXTS = {
    "questions": "Have every generator write harmful questions against every guideline.",
    "validate": "Have other models answer each question; keep those that enough of them refuse.",
    "conversations": "Write user turns for every question, strategy and attacker.",
    "translate": "Translate the split, checked by back-translation.",
    "split": "Draw the test split: n conversations for each guideline and strategy.",
}
for _stage in chain.STAGES:
    if _stage.name in _TEXTS:  # the others have commands of their own
        _stage_command(_stage, _TEXTS[_stage.name])
