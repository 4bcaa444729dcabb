"""``jmedethic generate``: build a benchmark, stage by stage or all at once; any stage can be stopped and resumed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cli.app import AsJson, Commands, app, err, out, say
from jmedethic_pytest.cli.generate.options import DryRun, Restart, with_settings
from jmedethic_pytest.cli.generate.progress import watching
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError
from jmedethic_pytest.core.files import replace
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.generation import chain
from jmedethic_pytest.generation.chain import Options
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery import planning
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress
from jmedethic_pytest.generation.machinery.stages import Stage
from jmedethic_pytest.models import budget as budgets

generate_app = Commands(
    name="generate",
    help="Build a benchmark: questions, validation, strategies, conversations, split. Content warning.",
    no_args_is_help=True,
)
app.add_typer(generate_app, name="generate")

Force = Annotated[bool, typer.Option("--force", help="Accept a model that is generator and validator")]


def _stage_command(name: str, text: str, chosen: Callable[[Config], Sequence[Stage]], *, report: bool = False) -> None:
    """Add a command that runs stages, and shows the report in the end if it is told to."""

    @generate_app.command(name, help=text)
    @with_settings()
    def command(config: Config, force: Force = False, restart: Restart = False, dry_run: DryRun = False) -> None:
        run_stages(config, chosen(config), Options(force=force, restart=restart), dry_run=dry_run)
        if report and not dry_run:
            show_report(config)


_stage_command(
    "all",
    "Run the whole chain: plan, stages, report. The same command resumes it; nothing finished is paid again.",
    chain.wanted,
    report=True,
)


@generate_app.command("report")
@with_settings("budget", "concurrency", "keep_answers")
def report(config: Config, as_json: AsJson = False) -> None:
    """Show what became of everything: funnel, drops by reason, cost, cells, diversity, validators. Counts, no texts."""
    show_report(config, as_json=as_json)


@generate_app.command("init")
def init(
    file: Annotated[Path, typer.Argument(help="File to write")] = Path("generate.toml"),
    guidelines: Annotated[
        Path | None,
        typer.Option(
            "--guidelines", help="Your guidelines; without the file ten principles are written", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Write the commented settings of the demo, to be changed into your own; with your guidelines, if you have some."""
    if file.exists():
        raise ConfigError(f"{file}: is there already. Give another name, or remove it.")
    if guidelines is not None and guidelines.exists():
        vocabulary_files.load(guidelines)  # settings that name a bad file would be a bad start
    elif guidelines is not None:
        replace(guidelines, vocabulary_files.text("principles"))
        out.print(f"written: {guidelines}")
    replace(file, configs.sample(None if guidelines is None else str(guidelines)))
    out.print(f"written: {file}")


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
        (out if dry_run and not as_json else err).print(line)
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
        to.print(line_of(summary))


def _survive(step: Callable[[], None]) -> None:
    """Word the ends that are no errors; everything finished is stored."""
    try:
        step()
    except KeyboardInterrupt:
        err.print("interrupted: what is finished is stored, the same command goes on from there")
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    except BudgetSpent as error:
        err.print(str(error))
        raise typer.Exit(ExitStatus.BUDGET) from None


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
    replace(config.folder / "report.json", made.model_dump_json(indent=1) + "\n")
    replace(config.folder / "report.md", markdown(made))
    if as_json:
        out.print_json(made.model_dump_json(), highlight=False)
        return
    say(lines(made))
    out.print(f"report: {config.folder / 'report.md'}")


_TEXTS = {
    "questions": "Have every generator write harmful questions against every guideline.",
    "validate": "Have other models answer each question; keep those that enough of them refuse.",
    "conversations": "Write user turns for every question, strategy and attacker.",
    "translate": "Translate the split, checked by back-translation.",
    "split": "Draw the test split: n conversations for each guideline and strategy.",
}
for _stage in chain.STAGES:
    if _stage.name in _TEXTS:  # the others have commands of their own
        _stage_command(_stage.name, _TEXTS[_stage.name], lambda _, stage=_stage: (stage,))  # type: ignore[misc]
