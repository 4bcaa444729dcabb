"""Baselines: the scores of a complete run, kept beside the code so that later runs can be compared with them.

``reports/baselines/<name>.json`` holds scores and digests, no text; one evaluation a line, so that a diff can be read.
It is never rewritten, and its digest tells whether somebody did.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError, field_validator

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, did_you_mean
from jmedethic_pytest.core.records import SCHEMA_VERSION, Record
from jmedethic_pytest.store import companions as beside
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.companions import Companion
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet, check_row

_LONGEST_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_SIDES = ("repeated", "reworded")
_RECORD = "Record one from a complete run: jmedethic baseline set NAME RUN."


class _Companion(Record):
    """The companions of one evaluation."""

    key: str
    kind: str
    repeated: Row | None = None
    reworded: Row | None = None
    wording: str = ""
    reason: str = ""

    @field_validator("repeated", "reworded")
    @classmethod
    def _is_that_of_a_run(cls, row: Row | None) -> Row | None:
        if row is not None:
            check_row(row)
        return row


class _File(Record):
    """The whole file, but for its digest."""

    schema_version: int
    name: Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]
    created: str
    origin: Origin
    rows: tuple[Row, ...]
    companions: tuple[_Companion, ...] = ()

    @field_validator("rows")
    @classmethod
    def _rows_are_those_of_a_run(cls, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        twice = [key for key, count in Counter(row.key for row in rows).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} stands there twice")
        for row in rows:
            check_row(row)
        return rows


@dataclass(frozen=True)
class Baseline:
    """A named score sheet."""

    name: str
    created: str
    """When it was recorded, ISO 8601, UTC."""
    sheet: ScoreSheet
    companions: Mapping[str, Companion] = field(default_factory=dict)
    """Where its run was reworded: what stands beside each evaluation, by key."""


def folder(reports: Path) -> Path:
    """Return where the baselines are."""
    return reports / "baselines"


def record(reports: Path, name: str, run: Path) -> Path:
    """Write a run's baseline and return the file.

    Raises:
        ConfigError: for a bad or taken name, or a run that is not complete.
        StoreError: if the run cannot be read or the file not be written.
    """
    path = new(reports, name)
    write(path, of(name, run))
    return path


def of(name: str, run: Path) -> Baseline:
    """Return what a run is as a baseline.

    Raises:
        ConfigError: if the run is not complete.
        StoreError: if it cannot be read.
    """
    sheet = run_scores.read(run)
    if sheet.origin.status != "complete":
        early = run_files.read_info(run).stopped_early
        again = "without --jmed-early goes on with it" if early else "resumes it"
        raise ConfigError(
            f"run {sheet.origin.run} is {sheet.origin.status}: a baseline needs a complete run. "
            f"The same command {again}."
        )
    return Baseline(name=name, created=run_files.now(), sheet=sheet, companions=beside.scores(run))


def write(path: Path, baseline: Baseline) -> None:
    """Write a baseline's file.

    Raises:
        StoreError: if that is not possible.
    """
    files.replace(path, text(baseline), "Give another folder (--reports).")


def new(reports: Path, name: str) -> Path:
    """Return the file of a baseline that is about to be recorded.

    Raises:
        ConfigError: for a bad or taken name.
    """
    if not _NAME.fullmatch(name) or name.endswith(".json"):
        allowed = "letters, digits, '.', '_', '-', '@' and '+', at most 64, no '.json' at its end"
        raise ConfigError(f"baseline name {name!r} is not allowed: use {allowed}; e.g. release-1.0.")
    path = folder(reports) / f"{name}.json"
    if path.exists():
        raise ConfigError(
            f"{path}: exists already, and a baseline is never rewritten: runs that passed against it would lose their "
            f"meaning. Choose another name, e.g. {_free(path)}."
        )
    return path


def load(reports: Path, names: Sequence[str]) -> tuple[Baseline, ...]:
    """Read baselines by name, or by the path of a ``.json`` file.

    Raises:
        ConfigError: naming every baseline that is missing, damaged or too new.
    """
    problems, found = [], []
    for name in names:
        try:
            found.append(read(find(reports, name)))
        except ConfigError as error:
            problems.extend(error.problems)
    counts = Counter(item.name for item in found)
    problems += [f"baseline {name!r} is given {count} times." for name, count in counts.items() if count > 1]
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def find(reports: Path, name: str) -> Path:
    """Return the file of a baseline.

    Raises:
        ConfigError: if there is none, naming those that exist and the command that makes one.
    """
    for path in (Path(name), folder(reports) / f"{name}.json"):
        if path.suffix == ".json" and path.is_file():
            return path
    known = [path.stem for path in stored(reports)]
    hint = f"{did_you_mean(name, known)} There are: {', '.join(known)}." if known else " There is none yet."
    raise ConfigError(f"baseline {name!r} does not exist in {folder(reports)}.{hint} {_RECORD}")


def stored(reports: Path) -> list[Path]:
    """Return the files of all baselines, by name."""
    return sorted(folder(reports).glob("*.json"))


def read(path: Path) -> Baseline:
    """Read a baseline file and check its digest.

    Raises:
        ConfigError: if it cannot be read, was changed by hand, or was written by a newer version.
    """
    again = f"Restore it from version control, or record a new one under another name. {_RECORD}"
    try:
        content = strict_json.value(files.read(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. {_RECORD}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: no valid JSON ({error}). {again}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise ConfigError(f"{path}: is no baseline file. {_RECORD}")
    if version > SCHEMA_VERSION:
        known = f"schema {version}, this one reads {SCHEMA_VERSION}"
        raise ConfigError(f"{path}: written by a newer version ({known}). Upgrade jmedethic-pytest.")
    if content.pop("digest", None) != files.compact_digest(content):
        raise ConfigError(f"{path}: its digest does not fit its content: the file was edited or damaged. {again}")
    try:
        found = _File.model_validate({**content, **_as_rows(content)})
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: damaged: {_first(error)}. {again}") from None
    sheet = ScoreSheet(found.origin, {row.key: row for row in found.rows})
    companions = {
        item.key: Companion(*(getattr(item, name) for name in Companion._fields)) for item in found.companions
    }
    return Baseline(name=found.name, created=found.created, sheet=sheet, companions=companions)


def _as_rows(content: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of a file as the tuples they are checked as.

    Raises:
        KeyError, TypeError, AttributeError: if they have other fields, or are no rows.
    """

    def row(item: dict[str, Any] | None) -> tuple[Any, ...] | None:
        return None if item is None else tuple(Row(**item))

    given = content.get("companions", ())
    sides = [{side: row(item.get(side)) for side in _SIDES} for item in given]
    return {
        "rows": [row(item) for item in content["rows"]],
        "companions": [{**item, **beside} for item, beside in zip(given, sides, strict=True)],
    }


def name_under(name: str, panel: str) -> str:
    """Return what a baseline is called that other judges have scored: ``release-1.0@panel``, as far as there is room.

    Args:
        name: the baseline's, which may be such a name itself.
        panel: a word for its new judges.
    """
    word = re.sub(r"[^A-Za-z0-9._+-]+", "-", panel).strip("-") or "rejudged"
    return f"{name.partition('@')[0]}@{word}"[:_LONGEST_NAME]


def of_run(baseline: Baseline, run: Path) -> bool:
    """Tell whether a baseline holds the scores of a stored run.

    Raises:
        StoreError: if the run cannot be read.
    """
    found = run_scores.read(run)
    mine, theirs = (
        {key: (row.digest, row.turns) for key, row in sheet.rows.items()} for sheet in (baseline.sheet, found)
    )
    return baseline.sheet.origin.run == found.origin.run and mine == theirs


def _first(error: Exception) -> str:
    """Return what is wrong, in one line; only the first of several faults."""
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    item = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, item['loc']))}: {item['msg']}"


def _free(path: Path) -> str:
    return next(name for n in range(2, 10**6) if not path.with_name(f"{(name := f'{path.stem}-{n}')}.json").exists())


def text(baseline: Baseline) -> str:
    """Return a baseline as the text of its file."""
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "name": baseline.name,
        "created": baseline.created,
        "origin": baseline.sheet.origin.model_dump(mode="json"),
        "rows": [_plain(row) for row in baseline.sheet.rows.values()],
        **({"companions": [_companion(*item) for item in baseline.companions.items()]} if baseline.companions else {}),
    }
    content = json.loads(json.dumps({**content, "digest": files.compact_digest(content)}))
    tables = {name: content.pop(name) for name in ("rows", "companions") if name in content}
    head = json.dumps(content, ensure_ascii=False, indent=1).removesuffix("\n}")
    listed = "".join(f',\n "{name}": [\n{_lines(rows)}\n ]' for name, rows in tables.items())
    return f"{head}{listed}\n}}\n"


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)


def _plain(row: Row) -> dict[str, Any]:
    """Return a row without the fields at their default; whole numbers are written as such."""
    useless = {"persona": None, "harm_class": None, "marks": (), "help": (), "flags": ()}  # for a comparison
    kept = {**row._asdict(), **useless}
    return {key: _short(value) for key, value in kept.items() if value != Row._field_defaults.get(key, ...)}


def _companion(key: str, found: Companion) -> dict[str, Any]:
    rows = {side: None if (row := getattr(found, side)) is None else _plain(row) for side in _SIDES}
    return {key: value for key, value in {"key": key, **found._asdict(), **rows}.items() if value not in (None, "")}


def _short(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_short(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
