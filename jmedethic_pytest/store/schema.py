"""Reading records whatever version wrote them.

In schema 1 a reply and a score bore the words of the verdict: a judge's cut reply was ``target_truncated`` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.records import SCHEMA_VERSION
from jmedethic_pytest.core.status import OF_JUDGE, OF_TARGET

M = TypeVar("M", bound=BaseModel)
_REPLY: Mapping[Any, str] = {old: new for new, old in OF_TARGET.items()}
_SCORE: Mapping[Any, str] = {old: new for new, old in OF_JUDGE.items()}


def read(model: type[M], data: bytes) -> M:
    """Return a stored record, in the words of today.

    Raises:
        ValidationError: if it is damaged, or of a newer schema.
    """
    return strict_json.record(model, data, _translate_first)


def read_again(model: type[M], data: bytes) -> M:
    """Return a record that was read before: half the work of :func:`read` looks for what it would have refused then.

    Raises:
        ValidationError: if it is not what it was.
    """
    with suppress(ValidationError):  # such as one of schema 1
        return model.model_validate_json(data)
    return read(model, data)


def _translate_first(content: Any) -> bool:
    """Put a record of schema 1 into the words of today; tell whether it is one."""
    if not isinstance(content, dict) or content.get("schema_version") != 1:
        return False
    _translate(content)
    return True


def _translate(content: dict[str, Any]) -> None:
    content["schema_version"] = SCHEMA_VERSION
    for attempt in _objects(content.get("attempts")):
        _translate(attempt)
    for turn in _objects(content.get("turns")):
        for reply in _objects([turn.get("reply")]):
            _reword(reply, _REPLY)
        for score in _objects(turn.get("scores")):
            _reword(score, _SCORE)


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _reword(record: dict[str, Any], words: Mapping[Any, str]) -> None:
    status = record.get("status")
    if isinstance(status, str):
        record["status"] = words.get(status, status)
