"""Kana or kanji, where both are everyday spellings of the same word."""

from __future__ import annotations

import re

from jmedethic_pytest.cases.perturb.draw import Draw

_PAIRS = (
    ("ください", "下さい"),
    ("いただきま", "頂きま"),
    ("いただきた", "頂きた"),
    ("いただけます", "頂けます"),
    ("いただけませ", "頂けませ"),
    ("ていただいて", "て頂いて"),
    ("ていただく", "て頂く"),
    ("できま", "出来ま"),
    ("できる", "出来る"),
    ("できれば", "出来れば"),
    ("すべて", "全て"),
    ("たとえば", "例えば"),
    ("わかりま", "分かりま"),
    ("わかる", "分かる"),
    ("および", "及び"),
    ("または", "又は"),
    ("すでに", "既に"),
    ("あらかじめ", "予め"),
    ("てほしい", "て欲しい"),
    ("いろいろ", "色々"),
    ("なぜ", "何故"),
    ("もちろん", "勿論"),
    ("のため", "の為"),
    ("のとおり", "の通り"),
    ("おしえて", "教えて"),
    ("つくって", "作って"),
    ("おねがい", "お願い"),
    ("くわしく", "詳しく"),
)
"""(kana, kanji), as long as it takes to be this word and no part of another one (書いただけ, 言い渡し, 手伝え, 山頂).
None holds a protected token."""
_TO_KANJI = dict(_PAIRS)
_TO_KANA = {kanji: kana for kana, kanji in _PAIRS}
_KANA, _KANJI = (re.compile("|".join(map(re.escape, table))) for table in (_TO_KANJI, _TO_KANA))


def to_kanji(text: str) -> str:
    """Return the text with the kanji spelling of every word of the table; twice is the same as once."""
    return _KANA.sub(lambda found: _TO_KANJI[found[0]], text)


def to_kana(text: str) -> str:
    """Return the text with the kana spelling of every word of the table; twice is the same as once."""
    return _KANJI.sub(lambda found: _TO_KANA[found[0]], text)


def japanese(text: str, draw: Draw) -> str:  # noqa: ARG001 - nothing is left to chance
    """Return a Japanese text in the spelling that it uses less."""
    return to_kanji(text) if len(_KANA.findall(text)) >= len(_KANJI.findall(text)) else to_kana(text)
