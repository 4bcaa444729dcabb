"""``jmedethic generate discover`` and ``cluster``: from questions to strategies that a person accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.cli.app import AsJson, err, out
from jmedethic_pytest.cli.generate import stages
from jmedethic_pytest.cli.generate.options import DryRun, Restart, with_settings
from jmedethic_pytest.cli.generate.stages import generate_app
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.generation.chain import Options
from jmedethic_pytest.generation.discovery import discovery, grouping, library
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.stages import Stage

_WARNING = "Content warning: attack material. The terminal shows counts, never texts."

Sheet = Annotated[
    Path | None, typer.Option("--sheet", help="Write the sheet there (.csv or .xlsx)", metavar="FILE", dir_okay=False)
]


@generate_app.command("discover", help=f"Search for attack strategies and write library.json. {_WARNING}")
@with_settings("guidelines")
def discover(
    config: Config,
    restart: Restart = False,
    dry_run: DryRun = False,
    mode: Annotated[
        str | None, typer.Option("--mode", help="paper: Algorithm 1; turbo: with retrieval from the library")
    ] = None,
    questions: Annotated[
        int | None, typer.Option("--questions", help="Questions searched with, 0 for all", metavar="N")
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Learn nothing: attack with the library as it is and count what breaks")
    ] = False,
    known: Annotated[
        Path | None, typer.Option("--library", help="Library for --test (default: the one found)", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search for strategies, or test a library."""
    found = _changed(config, {"mode": mode, "questions": questions})
    if known is not None and not test:
        raise ConfigError("--library: only with --test, which attacks with a library. A search makes its own.")
    stage = _test_stage(found, known) if test else discovery.STAGE
    stages.run_stages(found, (stage,), Options(restart=restart), dry_run=dry_run, as_json=as_json)
    if dry_run:
        return
    figures = discovery.report(found, stage.name)
    if not test:
        made = library.read(discovery.library_path(found))
        figures |= {"strategies": len(made.strategies), "library": made.digest()}
    _print(figures, as_json=as_json)
    if not test:
        err.print(f"library: {discovery.library_path(found)}  next: jmedethic generate cluster")


def _test_stage(config: Config, path: Path | None) -> Stage:
    """Return the attack with a library that stays as it is, as a stage."""
    known = library.read(path or discovery.library_path(config))
    discovery.check_embedder(config, known)
    return discovery.test_stage(known)


@generate_app.command("cluster", help=f"Bring the strategies down to k groups, for a person's review. {_WARNING}")
@with_settings("guidelines", "budget", "concurrency", "keep_answers")
def cluster(
    config: Config,
    k: Annotated[int | None, typer.Option("--k", help="Number of groups (default: the paper's 7)", min=1)] = None,
    write_to: Sheet = None,
    apply: Annotated[
        Path | None, typer.Option("--apply", help="Read a filled-in sheet, write strategies.json", metavar="FILE")
    ] = None,
    one_language: Annotated[
        bool, typer.Option("--one-language", help="With --apply: take a text missing in one language from the other")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --sheet: replace the file if it exists")] = False,
    as_json: AsJson = False,
) -> None:
    """Group the library, or read the review back."""
    found = _changed(config, {"clusters": k})
    problems = _clashes(write_to, apply, k, one_language=one_language, force=force)
    if problems:
        raise ConfigError(problems)
    if apply is not None:
        done = grouping.apply(found, apply, one_language=one_language)
        counts = ", ".join(f"{count} {decision}" for decision, count in done.decisions.items())
        figures = {"strategies": done.strategies, "decisions": done.decisions, "file": str(done.path)}
        _print(figures if as_json else {"strategies": done.strategies, "decisions": counts}, as_json=as_json)
        err.print(f"written: {done.path}")
        return
    stages.run_stages(found, (grouping.STAGE,), Options(), dry_run=False, as_json=as_json)
    current = grouping.load(found)
    path = write_to or grouping.sheet_path(found)
    if write_to is not None:
        grouping.write_sheet(current, write_to)
    if as_json:
        _print({"sheet": str(path), "groups": grouping.figures(current.clusters)}, as_json=True)
    for group in () if as_json else grouping.figures(current.clusters):
        out.print(_line(group))
    err.print(f"sheet: {path}  next: fill it in, then jmedethic generate cluster --apply {path}")


def _clashes(write_to: Path | None, apply: Path | None, k: int | None, *, one_language: bool, force: bool) -> list[str]:
    """Return what is wrong with a combination of options."""
    problems = []
    if apply is not None and (write_to is not None or k is not None):
        problems.append("--apply: reads a sheet; --sheet and --k make one. Give one or the other.")
    if apply is None and one_language:
        problems.append("--one-language: only with --apply.")
    if write_to is not None:
        sheet.check_name(write_to, "--sheet")
        if write_to.exists() and not force:
            problems.append(f"--sheet: {write_to} exists already. Give another name, or --force to replace it.")
    return problems


def _changed(config: Config, given: dict[str, Any]) -> Config:
    """Return the settings with what the command line says about the search."""
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        return config
    return configs.changed(config, {"discover": {**config.discover.model_dump(), **changes}})


def _line(group: dict[str, Any]) -> str:
    """Return one line about a group: figures only."""
    cohesion = "one member" if group["cohesion"] is None else f"cohesion {group['cohesion']:.2f}"
    known = group["closest_known"]
    return (
        f"{group['id']}: members {group['members']}, examples {group['examples']}, mean gain "
        f"{group['mean_gain']:.2f}, {cohesion}, nearest to {known['name']} ({known['similarity']:.2f})"
    )


def _print(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(figures, ensure_ascii=False), highlight=False)
        return
    for key, value in figures.items():
        out.print(f"{key.replace('_', ' ')}: {_shown(value)}")


def _shown(value: Any) -> str:
    """Return a figure for a person; one that does not exist is unknown, never 0."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items()) or "none"
    return "unknown" if value is None else str(value)
