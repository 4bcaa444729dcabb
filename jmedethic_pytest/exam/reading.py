"""Reading an examinee's answer: the letters it commits to, or none; never a guess."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from jmedethic_pytest.exam.items import ExamItem

_KEYS = ("answer", "answers", "解答", "回答", "答え")
_TRIMMINGS = " \t\r\n`*.。"


def read(text: str, item: ExamItem) -> tuple[str, ...] | None:
    """Return the letters of an answer in order, ``None`` if it commits to none.

    The answer must be or end with a JSON object with the letters; an object in the middle of a text counts for nothing,
    nor does one with letters the item does not have. Letters may be full-width, upper case, or in one string ("a, c").

    Args:
        text: the whole reply, without reasoning.
        item: what was asked.
    """
    folded = unicodedata.normalize("NFKC", text).rstrip(_TRIMMINGS)
    if not folded.endswith("}"):
        return None
    decoder = json.JSONDecoder()
    starts = [index for index, sign in enumerate(folded) if sign == "{"]
    for start in starts:
        try:
            value, end = decoder.raw_decode(folded, start)
        except (ValueError, RecursionError):
            continue
        if end == len(folded):
            return _letters(value, item)
    return None


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
