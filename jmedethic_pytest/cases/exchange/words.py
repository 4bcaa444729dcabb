"""Foreign words for locales, strategies and guidelines, read into ours; ``None`` where they mean none of ours."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.vocabulary import SHIPPED, guidelines

_NUMBERED = re.compile(r"^(?:(?:guideline|principle|no|指針|項目|第)\s*)*0*(\d{1,3})(?:\s+(.+))?$")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_KANA_SHARE = 0.1
_HAN_SHARE = 0.3


def fold(value: Any) -> str:
    """Return a value for comparison: full-width and case differences, punctuation and spaces do not count."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value if math.isfinite(value) else None
    text = unicodedata.normalize("NFKC", "" if value is None else str(value)).casefold()
    return re.sub(r"[\W_]+", " ", text).strip()


def slug(value: Any) -> str:
    """Return a lower-case ASCII word with hyphens; empty if nothing of the value is ASCII."""
    return re.sub(r"[^a-z0-9]+", "-", fold(value)).strip("-")


def label(value: Any) -> str:
    """Return a value as a tag: its slug, or the first 60 characters of the value itself where a slug would lose it."""
    text = " ".join(unicodedata.normalize("NFKC", str(value)).split())
    return slug(text) if text.isascii() else text[:60]


def locale(value: Any) -> Locale | None:
    """Return the locale a word names."""
    word = fold(value)
    return next((tag for tag in languages.tags() if word in languages.of(tag).called), None)


def script(texts: Sequence[str]) -> Locale | None:
    """Return the locale that texts are written in; ``None`` for Chinese and everything else."""
    text = "".join(texts)
    kana, han, latin = (len(pattern.findall(text)) for pattern in (_KANA, _HAN, _LATIN))
    letters = sum(char.isalpha() for char in text) or 1
    if kana / letters >= _KANA_SHARE:
        return "ja"
    return "en" if latin / letters > 1 - _HAN_SHARE and han / letters < _HAN_SHARE else None


def strategy(value: Any) -> str | None:
    """Return the strategy named by id, slug, English or Japanese name, or id and name together."""
    return _strategies().get(fold(value))


def guideline(value: Any, *, numbers: bool = False) -> str | None:
    """Return the guideline named by id (``JMA-25``), or by our title, with or without a number before it.

    Args:
        value: what a data set says.
        numbers: take a lone number as the number of our list. That list is a reconstruction whose numbers are its own,
            so a number of another list would put a wrong guideline before the judges.
    """
    folded = fold(value)
    if folded in _guidelines():
        return _guidelines()[folded]
    found = numbered(folded)
    if found is None:
        return None
    number, title = found
    if title in _guidelines():
        return _guidelines()[title]
    key = f"JMA-{number:02d}"
    return key if numbers and key in guidelines() else None


def numbered(folded: str) -> tuple[int, str] | None:
    """Return the number at the head of a folded label and the words after it; ``None`` if there is no number."""
    match = _NUMBERED.match(folded)
    return None if match is None else (int(match[1]), match[2] or "")


@lru_cache(maxsize=1)
def _strategies() -> dict[str, str]:
    found: dict[str, str] = {}
    for item in SHIPPED.strategies.values():
        names = (item.slug, *item.name.values())
        found.update({fold(name): item.id for name in (item.id, *names, *(f"{item.id} {name}" for name in names))})
    return found


@lru_cache(maxsize=1)
def _guidelines() -> dict[str, str]:
    found: dict[str, str] = {}
    for item in SHIPPED.guidelines.values():
        titles = tuple(item.title.values())
        found.update({fold(name): item.id for name in (item.id, *titles, *(f"{item.id} {name}" for name in titles))})
    return found
