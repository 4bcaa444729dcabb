"""Rows of a JSON, JSONL, CSV or Parquet file, whatever their columns mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError

Drop = Callable[[str, str], None]
"""Called with a reason and a place for every row that cannot be read."""

FILE_COLUMN = "_file"
"""A column every row has: the name of its file without the ending."""


class Row(NamedTuple):
    """One record of a data set."""

    place: str
    """File and line (or record number), for messages."""
    values: dict[str, Any]


def read(file: Path, drop: Drop) -> Iterator[Row]:
    """Yield the rows of a file in their order.

    Raises:
        ConfigError: if the file cannot be read as a whole: unknown ending, wrong encoding, broken JSON, no pyarrow.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise ConfigError(f"{file}: unknown kind of file {file.suffix!r}. Allowed: {', '.join(_READERS)}.")
    try:
        for place, values in reader(file, drop):
            yield Row(place, {str(key).strip(): value for key, value in values.items()} | {FILE_COLUMN: file.stem})
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8. Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8').") from None


def suffixes() -> tuple[str, ...]:
    """Return the endings of the files that can be read."""
    return tuple(_READERS)


def pyarrow(module: str, extra: str) -> Any:
    """Return a module of pyarrow, which is imported only where Parquet is used.

    Raises:
        ConfigError: naming what to install.
    """
    try:
        return import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ImportError:
        raise ConfigError(f"Parquet needs pyarrow. Next: pip install 'jmedethic-pytest[{extra}]'.") from None


def _jsonl(file: Path, drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:
    with files.open_ordinary(file) as stream:
        for number, line in files.lines(stream):
            place, text = f"{file}:{number}", line.decode("utf-8-sig")
            if not text.strip():
                continue
            try:
                value = strict_json.value(text, foreign=True)
            except ValueError:
                drop("the line is not valid JSON", place)
                continue
            yield from _objects([(place, value)], drop)


def _json(file: Path, drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a list of records, ``{"split": [records]}``, or ``{"id": record}``."""
    try:
        data = strict_json.value(files.read(file).decode("utf-8-sig"), foreign=True)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise ConfigError(f"{file}: not valid JSON: {error}. JSON Lines files must end in .jsonl.") from None
    if isinstance(data, dict) and data and all(isinstance(value, dict) for value in data.values()):
        data = [{"id": key, **value} for key, value in data.items()]
    elif isinstance(data, dict):
        data = [item for value in data.values() if isinstance(value, list) for item in value]
    if not isinstance(data, list):
        raise ConfigError(f"{file}: holds no list of records.")
    yield from _objects([(f"{file}#{number}", value) for number, value in enumerate(data, start=1)], drop)


def _objects(items: list[tuple[str, Any]], drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, value in items:
        if isinstance(value, dict):
            yield place, value
        else:
            drop("the record is not a JSON object", place)


def _csv(file: Path, drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:
    csv.field_size_limit(files.LONGEST_LINE)
    with io.TextIOWrapper(files.open_ordinary(file), encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t" if file.suffix.lower() == ".tsv" else ",", strict=True)
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                raise ConfigError(f"{file}:{reader.line_num}: not valid CSV: {error}.") from None
            if values is None:
                return
            place = f"{file}:{reader.line_num}"
            if None in values:
                drop("the row has more cells than the header", place)
            else:
                yield place, values


def _parquet(file: Path, drop: Drop) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ARG001 - cannot hold a bad row
    parquet = pyarrow("parquet", "parquet")
    try:
        batches = parquet.ParquetFile(file).iter_batches(batch_size=1000)
        number = 0
        for batch in batches:
            for values in batch.to_pylist():
                number += 1
                yield f"{file}#{number}", values
    except pyarrow("lib", "parquet").ArrowException as error:
        raise ConfigError(f"{file}: not a readable Parquet file: {error}.") from None


_READERS: dict[str, Callable[[Path, Drop], Iterator[tuple[str, dict[str, Any]]]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}
