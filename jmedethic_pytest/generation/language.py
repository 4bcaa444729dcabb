"""Whether a text is written in the language it should be in."""

from __future__ import annotations

import re

from jmedethic_pytest.taxonomy import Locale

_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")
_JAPANESE = re.compile(r"[ぁ-ゖァ-ヺ一-鿿]")
_LETTER = re.compile(r"[^\W\d_]")
_LEAST_KANA, _MOST_FOREIGN = 0.15, 0.02


def is_in(text: str, locale: Locale) -> bool:
    """Tell a Japanese text by its share of kana (Chinese has none), an English one by the absence of kana and kanji."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return False
    if locale == "ja":
        return len(_KANA.findall(text)) / letters >= _LEAST_KANA
    return len(_JAPANESE.findall(text)) / letters <= _MOST_FOREIGN
