"""Spaces and line breaks, more or fewer of them: without white space the text is the same."""

from __future__ import annotations

import re

from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.protected import free

_SPACES = (" ", "\u3000")
_AFTER_MARK = re.compile(r"(?<=[、。，．？！?!])(?=[^\s」』）)])")
_BESIDE_LATIN = re.compile(r"(?<=[ぁ-ヺ一-龠])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[ぁ-ヺ一-龠])")
_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
_SENTENCE_JA = re.compile(r"(?<=[。？！?!])(?=[^\s」』）)])")
_CLAUSE_JA = re.compile(r"(?<=、)(?=\S)")
_SENTENCE_EN = re.compile(r"(?<=[a-z)'’][.?!]) (?=[A-Z])")
_CLAUSE_EN = re.compile(r"(?<=[,;:]) (?=\S)")
_SHARE = 0.3
"""Of the places where a space may stand."""


def spaces_japanese(text: str, draw: Draw) -> str:
    """Return a Japanese text with spaces after marks and beside Latin letters and digits."""
    return _put(text, [*_places(_AFTER_MARK, text), *_places(_BESIDE_LATIN, text, "ja")], draw, _SPACES)


def spaces_english(text: str, draw: Draw) -> str:
    """Return an English text with double spaces here and there."""
    return _put(text, _places(_BETWEEN_WORDS, text), draw, (" ",))


def lines_japanese(text: str, draw: Draw) -> str:
    """Return a Japanese text with line breaks after sentences, or after clauses of one that is alone."""
    return _put(text, _places(_SENTENCE_JA, text) or _places(_CLAUSE_JA, text), draw, ("\n",), share=1.0)


def lines_english(text: str, draw: Draw) -> str:
    """Return an English text with line breaks in place of the spaces between sentences, or between clauses."""
    broken = _SENTENCE_EN.sub(lambda _: draw.one(("\n", "\n\n")), text)
    return broken if broken != text else _CLAUSE_EN.sub("\n", text)


def _places(pattern: re.Pattern[str], text: str, locale: str = "") -> list[int]:
    """Return where the pattern fits, but not inside a protected token where a language is given."""
    found = sorted({match.start() for match in pattern.finditer(text)})
    if not locale:
        return found
    allowed = free(text, "ja", ("institution", "latin"))
    return [place for place in found if allowed[place - 1] or allowed[place]]


def _put(text: str, places: list[int], draw: Draw, spaces: tuple[str, ...], share: float = _SHARE) -> str:
    chosen = draw.some(sorted(set(places)), max(1, round(share * len(places))))
    for place in reversed(chosen):
        text = text[:place] + draw.one(spaces) + text[place:]
    return text
