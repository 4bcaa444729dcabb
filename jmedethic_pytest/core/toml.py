"""Settings in TOML: read with every fault worded, and errors that name what a table may hold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, did_you_mean, explain_validation_item

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_LARGEST = 16 * 2**20
"""Bytes; far more than anybody writes by hand."""
_DEEPEST = 100
_MOST_DOTS = 1_000
"""In a key; the reader's memory grows with their square."""
_MOST_PROBLEMS = 50
_TOO_DEEP = f"it is nested deeper than {_DEEPEST}"


def read(path: Path, advice: str) -> dict[str, Any]:
    """Return the content of a file.

    Args:
        path: the file.
        advice: what to do if it cannot be read.

    Raises:
        ConfigError: for a missing file, one that is not TOML in UTF-8, or is larger or deeper than any of ours.
    """
    try:
        return parse(files.read(path, _LARGEST))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. {advice}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from None


def parse(data: bytes) -> dict[str, Any]:
    """Return what a text in UTF-8 holds; a byte-order mark before it does not count.

    Raises:
        ValueError: in one line; also for values nested deeper than 100.
    """
    text = data.decode("utf-8-sig")
    if any(line.partition("=")[0].count(".") > _MOST_DOTS for line in text.split("\n")):
        raise ValueError(_TOO_DEEP)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level: list[Any] = [content]
    for _ in range(_DEEPEST):
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return content
    raise ValueError(_TOO_DEEP)


def explain(error: ValidationError, place: str, whole: type[BaseModel]) -> list[str]:
    """Turn a pydantic error into one line per problem: place, field, value, what is allowed.

    Args:
        error: what pydantic raised.
        place: the file, the start of each line.
        whole: the form of the whole file.
    """
    lines = []
    items = error.errors(include_url=False)
    for item in items[:_MOST_PROBLEMS]:
        where = tuple(str(part) for part in item["loc"] if part != "[key]")
        if item["type"] == "extra_forbidden":
            allowed = _fields(whole, where[:-1])
            hint = f"{did_you_mean(where[-1], allowed)} Allowed here: {', '.join(allowed)}."
            lines.append(f"{place}: unknown field {'.'.join(where)!r}.{hint}")
        else:
            lines += explain_validation_item(item, place)
    left = len(items) - _MOST_PROBLEMS
    return [*lines, f"{place}: ... and {left:,} more problems."] if left > 0 else lines


def _fields(whole: type[BaseModel], place: Iterable[str]) -> list[str]:
    """Return the names that a table of the file may hold."""
    model = whole
    for part in place:
        inner = next((field for name, field in model.model_fields.items() if (field.alias or name) == part), None)
        model = next(iter(_tables(inner.annotation)), model) if inner is not None else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """Return the tables inside an annotation."""
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [table for inner in get_args(annotation) for table in _tables(inner)]
