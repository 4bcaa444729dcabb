"""JSON of files, read in one way: no deeper than a person writes, every key once, every number a number.

What lies in a run, a baseline, a case file or a data set may have been written by anybody.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from jiter import from_json
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


def value(data: bytes | str, *, foreign: bool = False) -> Any:
    """Return what a JSON text holds; a byte-order mark before it does not count.

    Args:
        data: the text; bytes are UTF-8.
        foreign: whether NaN, infinity and keys that stand twice are let pass, as other programs write them.

    Raises:
        ValueError: saying in one line what is wrong and where; also for values nested deeper than 200, half a
            surrogate pair, and a whole number of more than some 4,300 digits.
    """
    return from_json(_bare(data), allow_inf_nan=foreign, catch_duplicate_keys=not foreign)


def record(model: type[M], data: bytes | str, translate: Callable[[Any], bool] | None = None) -> M:
    """Return the record that a JSON text holds.

    Args:
        model: its form.
        data: the text.
        translate: changes what was read before it is held against the form; returns whether it did.

    Raises:
        ValidationError: if it holds none: no JSON as :func:`value` reads it, or not of this form.
    """
    try:
        content = value(data)
    except ValueError as error:
        problem: Any = {"type": "json_invalid", "loc": (), "input": "the text", "ctx": {"error": str(error)}}
        raise ValidationError.from_exception_data(model.__name__, [problem]) from None
    if translate is not None and translate(content):
        return model.model_validate(content)
    with suppress(ValidationError):
        return model.model_validate(content)
    return model.model_validate_json(_bare(data))  # read again: its errors speak of JSON, not of Python


def _bare(data: bytes | str) -> bytes:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return raw.removeprefix(codecs.BOM_UTF8)
