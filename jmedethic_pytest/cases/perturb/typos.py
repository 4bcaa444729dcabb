"""Slips of the fingers: letters that change places, are left out, typed twice or, in kana, taken for a neighbour."""

from __future__ import annotations

import re
from collections.abc import Callable

from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.protected import free
from jmedethic_pytest.core.languages import Locale

SHARE = 0.03
"""Of the characters of a turn; at least one slip."""
_CONFUSED = ("はわ", "をお", "ずづ", "じぢ", "えへ", "つっ", "やゃ", "ゆゅ", "よょ", "シツ", "ソン", "ーイ", "ヘへ")
_TAKEN_FOR = {pair[index]: pair[1 - index] for pair in _CONFUSED for index in (0, 1)}
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")
_LEAST_LETTERS = 4
"""Letters of an English word in which a slip still leaves the word to be read."""
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)

Slip = Callable[[str, int], str | None]
"""Changes a text at a place, or says that it cannot."""


def japanese(text: str, draw: Draw) -> str:
    """Return a Japanese text with slips in its kana; kanji, numbers and negations stay."""
    return _slipped(text, draw, "ja", lambda text, allowed: [i for i in allowed if _KANA.match(text[i])], _JAPANESE)


def english(text: str, draw: Draw) -> str:
    """Return an English text with slips within its longer words; their first letters stay."""
    return _slipped(text, draw, "en", _within_words, _ENGLISH)


def _slipped(
    text: str, draw: Draw, locale: Locale, places: Callable[[str, list[int]], list[int]], slips: tuple[Slip, ...]
) -> str:
    """Work from the end, so that places further ahead stay where they are; never two slips side by side."""
    allowed = free(text, locale)
    wanted = max(1, round(SHARE * len(text)))
    chosen = draw.some(places(text, [i for i, may in enumerate(allowed) if may and all(allowed[i : i + 2])]), wanted)
    reached = len(text) + 2
    for place in reversed(chosen):
        if place + 2 >= reached:
            continue
        begin = draw.below(len(slips))
        turned = (slip(text, place) for slip in (*slips[begin:], *slips[:begin]))
        found = next((item for item in turned if item is not None), None)
        if found is not None:
            text, reached = found, place
    return text


def _within_words(text: str, allowed: list[int]) -> list[int]:
    """Return the places in words of enough letters, where a slip changes neither the first letter nor the last."""
    inside = {
        index
        for word in _WORD.finditer(text)
        if len(word[0]) >= _LEAST_LETTERS
        for index in range(word.start() + 1, word.end() - 2)
    }
    return [index for index in allowed if index in inside]


def _kana_pair(text: str, place: int) -> bool:
    return bool(_KANA.match(text[place]) and _KANA.match(text[place + 1 : place + 2]))


def _swap_kana(text: str, place: int) -> str | None:
    return _swap(text, place) if _kana_pair(text, place) else None


def _swap(text: str, place: int) -> str | None:
    pair = text[place : place + 2]
    if len(pair) < 2 or pair[0] == pair[1] or not pair.isalpha():
        return None
    return text[:place] + pair[::-1] + text[place + 2 :]


def _confuse(text: str, place: int) -> str | None:
    other = _TAKEN_FOR.get(text[place])
    return None if other is None else text[:place] + other + text[place + 1 :]


def _drop_kana(text: str, place: int) -> str | None:
    return text[:place] + text[place + 1 :] if _kana_pair(text, place) else None


def _drop(text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]


def _double(text: str, place: int) -> str:
    return text[: place + 1] + text[place:]


_JAPANESE: tuple[Slip, ...] = (_swap_kana, _confuse, _drop_kana, _double)
_ENGLISH: tuple[Slip, ...] = (_swap, _drop, _double)
