"""From a source to cases: the steps of ``jmedethic cases import``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.exchange import hub, mapping, notices, official, own, rows, topics, words
from jmedethic_pytest.cases.exchange.convert import Converted, Wishes, convert
from jmedethic_pytest.cases.exchange.mapping import BuiltIn, Defaults, Mapping
from jmedethic_pytest.cases.exchange.report import Report
from jmedethic_pytest.cases.exchange.rows import Row
from jmedethic_pytest.cases.vocabulary_files import Pack
from jmedethic_pytest.core.errors import ConfigError, explain_validation, unknown
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import Vocabulary

FORMATS = (*get_args(BuiltIn), "table")


@dataclass(frozen=True)
class Request:
    """What is to be imported, and how."""

    source: str
    """A file, a folder of files, or the name of the official data set."""
    format: str
    folder: Path
    """Where the cases go: a file of guidelines there is gone on with."""
    mapping: Path | None = None
    revision: str | None = None
    defaults: dict[str, str] = field(default_factory=dict)
    """``locale``, ``guideline``, ``strategy`` for rows that say nothing."""
    suite: str | None = None
    twins: bool = False
    guideline_numbers: bool = False


@dataclass(frozen=True)
class Imported:
    """What came of it."""

    cases: list[Case]
    report: Report
    notice: list[str]
    guidelines: Pack | None = None
    """What goes beside the cases; ``None`` if they name no guideline of a foreign list."""
    carried: Sequence[Path] = ()
    """Files whose own words (see :mod:`vocabulary_files`) go along with the cases."""


def run(request: Request) -> Imported:
    """Read a source.

    Raises:
        ConfigError: for options that do not fit together, unreadable files, missing columns, or if no row at all can
            become a case.
    """
    _check(request)
    files = _files(request)
    report = Report()
    found = [row for file in files for row in rows.read(file, report.drop)]
    report.rows = len(found) + report.dropped.total()
    if not found:
        raise _nothing(request, report)
    header = list(dict.fromkeys(name for row in found for name in row.values))
    guidelines = None
    carried: Sequence[Path] = ()
    if request.format == "table" and request.mapping is None:
        words_beside = vocabulary_files.beside([*files, request.folder / "cases.jsonl"])
        cases, notice = _own(request, found, header, report, words_beside), notices.inherited(files)
        carried = files
    else:
        rules = _mapping(request, header)
        (cases, guidelines), notice = _foreign(request, rules, found, header, report), []
        if rules.source is not None:
            notice = notices.word(rules.source, files, request.revision)
    report.cases.update(case.locale for case in cases)
    if not cases:
        raise _nothing(request, report)
    return Imported(cases, report, notice, guidelines, carried)


def _nothing(request: Request, report: Report) -> ConfigError:
    reasons = [f"{count} x {reason} (first: {report.places[reason]})" for reason, count in report.dropped.most_common()]
    why = "; ".join(reasons) or "the source is empty"
    return ConfigError(f"{request.source}: none of {report.rows} rows could become a case: {why}.")


def _check(request: Request) -> None:
    problems = []
    if request.format not in FORMATS:
        raise ConfigError(unknown("--format", request.format, FORMATS))
    if request.mapping is not None and request.format != "table":
        problems.append(f"--mapping: only --format table reads one; the columns of {request.format} are known.")
    if request.revision is not None and request.source != hub.OFFICIAL:
        problems.append(f"--revision: only a download has one, and {request.source!r} is not {hub.OFFICIAL!r}.")
    if problems:
        raise ConfigError(problems)


def _files(request: Request) -> list[Path]:
    """Return the files of the source; a folder stands for all data files in it."""
    path = Path(request.source)
    if request.format == "official" and request.source == hub.OFFICIAL and not path.exists():
        path = hub.download(request.source, request.revision)
    if path.is_file():
        return [path]
    if not path.is_dir():
        hint = f" or {hub.OFFICIAL} to download it" if request.format == "official" else ""
        raise ConfigError(f"{request.source}: no such file or folder. Give a file, a folder{hint}.")
    inside = (file for file in sorted(path.rglob("*")) if file.suffix.lower() in rows.suffixes() and file.is_file())
    files = [file for file in inside if file.name != "dataset_infos.json"]
    if not files:
        raise ConfigError(f"{path}: no data file in this folder. Allowed: {', '.join(rows.suffixes())}.")
    return files


def _mapping(request: Request, header: Sequence[str]) -> Mapping:
    if request.mapping is not None:
        rules = mapping.load(request.mapping)
    elif request.format == "official":
        rules = official.recognise(header, request.source)
    else:
        name: Any = request.format
        rules = Mapping.model_validate(mapping.built_in(name)).present(header)
    rules.require(header, request.source)
    return rules.model_copy(update={"defaults": _defaults(rules.defaults, request.defaults)})


def _defaults(base: Defaults, given: dict[str, str]) -> Defaults:
    try:
        return Defaults.model_validate({**base.model_dump(), **given})
    except ValidationError as error:
        lines = explain_validation(error, "options")
        raise ConfigError([line.replace("options: field '", "--", 1).replace("'", "", 1) for line in lines]) from None


def _foreign(
    request: Request, rules: Mapping, found: Iterable[Row], header: Sequence[str], report: Report
) -> tuple[list[Case], Pack | None]:
    suite = request.suite or rules.suite
    prefix = rules.prefix or words.slug(suite or Path(request.source).stem)[:16].strip("-") or "x"
    wishes = Wishes(prefix, (suite,) if suite else (), request.twins, request.guideline_numbers)
    used = rules.columns.used()
    report.mapping.update({name: ", ".join(names) for name, names in used.items()})
    report.mapping.update(_fixed(rules, used, wishes))
    taken = {name for names in used.values() for name in names} | {rows.FILE_COLUMN}
    report.ignored.extend(name or "(no name)" for name in header if name not in taken)
    return _own_guidelines(convert(found, rules, wishes, report), prefix, request, report)


def _own_guidelines(
    converted: Sequence[Converted], prefix: str, request: Request, report: Report
) -> tuple[list[Case], Pack | None]:
    """Return the cases with the guidelines of their own list, and that list."""
    there = [(index, found.topic) for index, found in enumerate(converted) if found.topic is not None]
    cases = [found.case for found in converted]
    if not there:
        return cases, None
    if len({topic.key for _, topic in there}) > topics.MOST:
        report.note(f"more than {topics.MOST} guidelines are no list of guidelines: all of them set to other")
        return cases, None
    pack, ids = topics.pack([topic for _, topic in there], prefix, request.folder)
    for (index, _), key in zip(there, ids, strict=True):
        cases[index] = cases[index].model_copy(update={"guideline": key})
    return cases, pack


def _fixed(rules: Mapping, used: Iterable[str], wishes: Wishes) -> dict[str, str]:
    """Word where fields come from that no column gives."""
    fixed = {
        "id": "(a digest of the text)",
        "locale": rules.defaults.locale or "(the script of the turns)",
        "guideline": rules.defaults.guideline or "other",
        "strategy": rules.defaults.strategy or "direct for one turn, else other",
    }
    always = {"suites": ", ".join(wishes.suites) or "none"}
    if wishes.twins:
        always["twin_of"] = "(every row is benign)"
    return {name: text for name, text in fixed.items() if name not in used} | always


def _own(
    request: Request, found: Sequence[Row], header: Sequence[str], report: Report, vocabulary: Vocabulary
) -> list[Case]:
    if not own.matches(header):
        raise ConfigError(
            f"{request.source}: these are not the columns of our own export. {mapping.shown(header)} Next: say which "
            "column holds what in a mapping file (--mapping FILE.toml)."
        )
    given = [*request.defaults, *(["twins"] if request.twins else [])]
    if given:
        raise ConfigError([f"--{name}: our own export says this in every row." for name in given])
    report.mapping["all fields"] = "our own export"
    cases = own.read(found, report, vocabulary)
    suites = [request.suite] if request.suite else []
    return [case.model_copy(update={"suites": tuple(dict.fromkeys([*case.suites, *suites]))}) for case in cases]
