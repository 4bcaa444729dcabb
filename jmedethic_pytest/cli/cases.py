"""``jmedethic cases``: check, measure and record the conversations themselves, without any model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases import packs
from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cli.app import AsJson, Commands, app, err, out
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.status import ExitStatus

cases_app = Commands(
    name="cases", help="Check, measure and exchange the conversations themselves.", no_args_is_help=True
)
app.add_typer(cases_app, name="cases")

Cases = Annotated[
    Path | None, typer.Option("--cases", help="Case file or folder (default: the bundled ones)", metavar="PATH")
]

PackName = Annotated[str | None, typer.Option("--pack", help="The cases of a pack: jma, us, eu", metavar="NAME")]


def _chosen(cases: Path | None, pack: str | None) -> Path | None:
    """Return the folder of a pack, or what else was given."""
    if pack is None:
        return cases
    if cases is not None:
        raise ConfigError(f"--pack: {pack!r} chooses the cases: leave --cases out.")
    return packs.folder(pack, "--pack")


@cases_app.command("validate")
def validate(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Case files or folders (default: the bundled ones)", metavar="FILES")
    ] = None,
    cases: Cases = None,
    pack: PackName = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="Leave out a check (policy, turns.length, ...); may be repeated")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check content policy, names, language, lengths, duplicates and wording.

    The bundled set, and any folder with a MANIFEST.json, also for balance, alignment of languages and twins, and the
    manifest; a folder that was built, for changes since (BUILD.json). Exit status: 0 nothing found, 1 findings.
    """
    from jmedethic_pytest.cases.checks import checks

    cases, left_out = _chosen(cases, pack), tuple(skip or ())
    for name in left_out:
        if name.split(".")[0] not in checks.GROUPS:
            raise ConfigError(unknown("--skip", name, checks.GROUPS))
    given = [*(files or ()), *([cases] if cases is not None else [])]
    loaded, findings = _load(given)
    if loaded:
        only = given[0] if len(given) == 1 else None
        whole = checks.complete_folder(only) if len(given) < 2 else None
        found = checks.run(loaded, whole, only)
        findings += [finding for finding in found if not _skipped(finding, left_out)]
    if as_json:
        rows = [finding._asdict() for finding in findings]
        out.print_json(json.dumps({"cases": len(loaded), "findings": rows}), ensure_ascii=False, highlight=False)
    else:
        for finding in findings:
            out.print(finding.line())
        verdict = (
            f"{len(findings)} findings in {len(loaded)} cases" if findings else f"{len(loaded)} cases: no findings"
        )
        out.print(verdict, style="bold red" if findings else "bold green")
    if findings:
        raise typer.Exit(ExitStatus.FAIL)


def _load(paths: list[Path]) -> tuple[list[Case], list[Finding]]:
    """Return the cases; what keeps them from being read counts as findings, a path that does not exist does not."""
    try:
        return case_files.load(paths or None), []
    except ConfigError as error:
        if not all(path.exists() for path in paths):
            raise
        where = ", ".join(map(str, paths or [case_files.bundled_dir()]))
        return [], [Finding("schema", where, "", line, "No other check was made.") for line in error.problems]


def _skipped(finding: Finding, left_out: tuple[str, ...]) -> bool:
    return any(finding.check == name or finding.check.startswith(f"{name}.") for name in left_out)


@cases_app.command("stats")
def stats(
    cases: Cases = None,
    pack: PackName = None,
    difficulty: Annotated[
        Path | None, typer.Option("--difficulty", help="Hold the tiers against what `cases difficulty` wrote")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show balance, lengths in characters, the ten closest pairs, repeated openings and closings, and variety.

    With --difficulty also how hard the cases of each tier were for the models behind that file.
    """
    from jmedethic_pytest.cases.checks import measure

    cases = _chosen(cases, pack)
    loaded = case_files.load([cases] if cases else None)
    tables = measure.measure(loaded)
    if difficulty is not None:
        from jmedethic_pytest.analysis import difficulty as measuring

        found = measuring.read(difficulty)
        tables["difficulty"] = list(measuring.tiers(loaded, found.cases))
        if found.note:
            err.print(found.note)
    if as_json:
        out.print_json(json.dumps(tables), ensure_ascii=False, highlight=False)
        return
    for name, rows in tables.items():
        out.print(f"{name}: {measure.TITLES[name]}", style="bold")
        out.print(_table(rows) if rows else "none", end="\n\n")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(_cell(key, value)) for key, value in row.items()))
    return table


def _cell(column: str, value: object) -> str:
    """Return a value for a person: shares in per cent, phrases in quotes, as they may begin or end with a space."""
    if column == "share":
        return f"{value:.1%}"
    return repr(value) if column == "text" else str(value)


@cases_app.command("manifest")
def manifest(
    cases: Annotated[
        Path | None, typer.Option("--cases", help="Folder of cases (default: the bundled ones)", metavar="DIR")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the file instead of comparing with it")] = False,
    version: Annotated[str | None, typer.Option("--version", help="New version of the benchmark, x.y.z")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Entry of the change log")] = None,
    retire: Annotated[
        list[str] | None, typer.Option("--retire", help="Id that is given up for good; may be repeated", metavar="ID")
    ] = None,
) -> None:
    """Compare the case files with MANIFEST.json, or write it. Exit status: 0 equal or written, 1 different."""
    from jmedethic_pytest.cases.checks import manifest as manifests
    from jmedethic_pytest.cases.checks import release

    folder = cases or case_files.bundled_dir()
    if not folder.is_dir():
        raise ConfigError(f"{folder}: not a folder. A manifest describes a folder of case files (--cases).")
    if not write and (version or note or retire):
        raise ConfigError("--version, --note and --retire change the manifest: give --write with them.")
    loaded = case_files.load([folder])
    differences = list(manifests.check(folder, loaded))
    if not write:
        for finding in differences:
            out.print(finding.line())
        out.print(f"{len(loaded)} cases, {len(differences)} differences from {folder / manifests.NAME}")
        raise typer.Exit(ExitStatus.FAIL if differences else ExitStatus.PASS)
    built = release.build(folder, loaded, version=version, note=note, retire=retire or ())
    for finding in differences:
        err.print(f"recorded: {finding.where}: {finding.found}")
    path = manifests.write(folder, built)
    out.print(f"{path}: version {built.version}, {len(built.cases)} cases, digest {built.digest[:12]}")
