"""Whether a text is written in the language it should be in."""

from __future__ import annotations

import re
import unicodedata

from jmedethic_pytest.core.vocabulary import Locale

_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")
_LATIN = re.compile(r"[A-Za-z]")
_LETTER = re.compile(r"[^\W\d_]")
_LEAST_KANA, _LEAST_LATIN = 0.15, 0.95


def is_in(text: str, locale: Locale) -> bool:
    """Tell a Japanese text by its share of kana (Chinese has none), an English one by plain Latin letters.

    Other languages in Latin letters are not told from English.
    """
    folded = unicodedata.normalize("NFKC", text)
    letters = len(_LETTER.findall(folded))
    if not letters:
        return False
    if locale == "ja":
        return len(_KANA.findall(folded)) / letters >= _LEAST_KANA
    return len(_LATIN.findall(folded)) / letters >= _LEAST_LATIN
