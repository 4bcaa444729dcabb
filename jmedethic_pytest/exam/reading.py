"""Reading an examinee's answer: the letters it commits to, or none; never a guess."""

from __future__ import annotations

import unicodedata
from typing import Any

from jmedethic_pytest.exam.items import ExamItem
from jmedethic_pytest.models import json_answer

_KEYS = ("answer", "answers", "解答", "回答", "答え")


def read(text: str, item: ExamItem) -> tuple[str, ...] | None:
    """Return the letters of an answer in order, ``None`` if it commits to none.

    The answer must be or end with a JSON object with the letters; an object in the middle of a text counts for nothing,
    nor does one with letters the item does not have. Letters may be full-width, upper case, or in one string ("a, c").

    Args:
        text: the whole reply, without reasoning.
        item: what was asked.
    """
    return _letters(json_answer.at_end(unicodedata.normalize("NFKC", text).rstrip(json_answer.TRIMMINGS)), item)


def _letters(value: Any, item: ExamItem) -> tuple[str, ...] | None:
    if not isinstance(value, dict):
        return None
    found = [value[key] for key in _KEYS if key in value]
    if len(found) != 1:
        return None
    parts = found[0] if isinstance(found[0], list) else [found[0]]
    if not all(isinstance(part, str) for part in parts):
        return None
    letters = [letter for part in parts for letter in part.lower().replace(",", " ").replace("、", " ").split()]
    if not letters or len(set(letters)) < len(letters) or not set(letters) <= set(item.options):
        return None
    return tuple(sorted(letters))
