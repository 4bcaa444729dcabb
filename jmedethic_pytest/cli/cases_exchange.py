"""``jmedethic cases import`` and ``jmedethic cases export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases import selection, vocabulary_files
from jmedethic_pytest.cases.exchange import importing, notices, writing
from jmedethic_pytest.cases.selection import Selection
from jmedethic_pytest.cli.app import Force, err, out, say
from jmedethic_pytest.cli.cases import cases_app
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError, unknown

Output = Annotated[Path, typer.Option("--output", help="File to write", metavar="FILE")]


@cases_app.command("import")
def import_(
    source: Annotated[
        str, typer.Argument(help="File or folder (JSON, JSONL, CSV, TSV, Parquet), or the official name")
    ],
    output: Output,
    kind: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(importing.FORMATS)}", metavar="FORMAT")],
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Which column holds what, for 'table'")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="ja or en, for rows that do not say")] = None,
    guideline: Annotated[str | None, typer.Option("--guideline", help="For rows that do not say")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", help="For rows that do not say")] = None,
    suite: Annotated[str | None, typer.Option("--suite", help="Suite the cases belong to")] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="Commit of a download", metavar="SHA")] = None,
    twins: Annotated[bool, typer.Option("--twins", help="The rows are benign: they measure over-refusal")] = False,
    guideline_numbers: Annotated[
        bool, typer.Option("--guideline-numbers", help="Lone guideline numbers are those of this project's list")
    ] = False,
    force: Force = False,
) -> None:
    """Turn another data set into cases. Content warning; mind the licence of the source, which is printed.

    The official data set (CC BY-NC 4.0, non-commercial) is downloaded with
    `humanalysis-square/JMedEthicBench --format official --revision SHA`; nothing of it is part of this package.
    """
    if output.suffix != ".jsonl":
        raise ConfigError(f"--output: {output} must end in .jsonl, as files of cases do.")
    writing.check_output(output, force=force)
    given = {"locale": locale, "guideline": guideline, "strategy": strategy}
    imported = importing.run(
        importing.Request(
            source=source,
            format=kind,
            folder=output.parent,
            mapping=mapping,
            revision=revision,
            defaults={name: value for name, value in given.items() if value is not None},
            suite=suite,
            twins=twins,
            guideline_numbers=guideline_numbers,
        )
    )
    if imported.guidelines is not None:
        writing.write_guidelines(imported.guidelines, output.parent)
    writing.carry_words(imported.carried, output.parent)
    writing.write(imported.cases, output, "jsonl", imported.notice, force=force)
    say(imported.report.lines())
    if imported.guidelines is not None:
        named = len({case.guideline for case in imported.cases})
        out.print(f"written: {output.parent / vocabulary_files.FILE} ({named} guidelines named by the cases)")
    _say_written(output, imported.notice)


@cases_app.command("export")
def export(
    output: Output,
    kind: Annotated[
        str | None, typer.Option("--format", help=f"One of: {', '.join(writing.KINDS)} (default: the file's ending)")
    ] = None,
    cases: Annotated[Path | None, typer.Option("--cases", help="Case file or folder", metavar="PATH")] = None,
    suite: Annotated[str, typer.Option("--suite", help="Only this suite")] = "all",
    locale: Annotated[str, typer.Option("--locale", help="Only these languages, by comma")] = "ja,en",
    force: Force = False,
) -> None:
    """Write cases as JSONL, CSV (safe to open in a spreadsheet) or Parquet; `import --format table` reads them back."""
    kind = output.suffix.lstrip(".").lower() if kind is None else kind
    if kind not in writing.KINDS:
        raise ConfigError(unknown("--format", kind, list(writing.KINDS)))
    locales = tuple(word.strip() for word in locale.split(",") if word.strip())
    for word in locales:
        if word not in languages.tags():
            raise ConfigError(unknown("--locale", word, languages.tags()))
    writing.check_output(output, force=force)
    chosen = selection.select(case_files.load([cases] if cases else None), Selection(suite=suite, locales=locales))
    if not chosen:
        raise ConfigError(f"nothing to export: no case is in suite {suite!r} and in {locale}.")
    notice = notices.inherited(_files(cases))
    writing.carry_words(_files(cases), output.parent)
    writing.write(chosen, output, kind, notice, force=force)
    out.print(f"{len(chosen)} cases")
    _say_written(output, notice)


def _files(cases: Path | None) -> list[Path]:
    if cases is None:
        return []
    return sorted(cases.glob("*.jsonl")) if cases.is_dir() else [cases]


def _say_written(output: Path, notice: list[str]) -> None:
    out.print(f"written: {output}")
    if notice:
        err.print("\n".join(["", *notice, f"(also in {notices.beside(output)})"]))
