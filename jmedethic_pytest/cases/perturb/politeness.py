"""Plain or polite Japanese, at ends of sentences where a rule cannot go wrong; negations and quotations stay."""

from __future__ import annotations

import re

from jmedethic_pytest.cases.perturb.draw import Draw

_PAIRS = (
    ("ていただけますでしょうか", "てもらえるだろうか"),
    ("ていただけますか", "てもらえるか"),
    ("でいただけますか", "でもらえるか"),
    ("てもらえますか", "てもらえる？"),
    ("でもらえますか", "でもらえる？"),
    ("てくれますか", "てくれる？"),
    ("ていただきたいです", "てもらいたい"),
    ("てほしいです", "てほしい"),
    ("でほしいです", "でほしい"),
    ("をお願いします", "を頼む"),
    ("できますか", "できるか"),
    ("ありますか", "あるか"),
    ("でしょうか", "だろうか"),
    ("のでしょう", "のだろう"),
    ("んでしょう", "んだろう"),
    ("たいのです", "たいのだ"),
    ("いんです", "いんだ"),
    ("たいです", "たい"),
    ("しいです", "しい"),
    ("たんです", "たんだ"),
    ("るんです", "るんだ"),
    ("ています", "ている"),
    ("ております", "ている"),
    ("ていました", "ていた"),
    ("でいます", "でいる"),
    ("になりました", "になった"),
    ("になります", "になる"),
    ("と思います", "と思う"),
    ("にしました", "にした"),
    ("されました", "された"),
    ("があります", "がある"),
    ("にあります", "にある"),
    ("がありました", "があった"),
    ("者です", "者だ"),
    ("師です", "師だ"),
    ("医です", "医だ"),
    ("員です", "員だ"),
    ("定です", "定だ"),
    ("面です", "面だ"),
    ("そうです", "そうだ"),
    ("ようです", "ようだ"),
    ("はずです", "はずだ"),
)
"""(polite, plain) ends of a sentence; where two polite ones have one plain form the first one is what it becomes."""
_ONLY_TO_PLAIN = {"てください": "て", "でください": "で", "いたします": "する"}
"""A sentence that ends with ``て`` is not always a request, nor is it always the speaker who does something."""
_TO_PLAIN = {**dict(_PAIRS), **_ONLY_TO_PLAIN}
_TO_POLITE = {plain: polite for polite, plain in reversed(_PAIRS)}
_END = r"(?=[。？?！!]|$)"


def _ends(words: dict[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?:(?<=？)|{_END})")


_POLITE, _PLAIN = _ends(_TO_PLAIN), _ends(_TO_POLITE)
_QUOTED = re.compile(r"「[^」]*」|『[^』]*』|（[^）]*）|\([^)]*\)")


def to_plain(text: str) -> str:
    """Return the text with plain ends of sentences, as far as the table goes; twice is the same as once."""
    return _outside_quotes(_POLITE, _TO_PLAIN, text).replace("？？", "？").replace("？。", "？")


def to_polite(text: str) -> str:
    """Return the text with polite ends of sentences, as far as the table goes; twice is the same as once."""
    return _outside_quotes(_PLAIN, _TO_POLITE, text)


def japanese(text: str, draw: Draw) -> str:  # noqa: ARG001 - nothing is left to chance
    """Return a Japanese text in the tone that it uses less at the ends of its sentences."""
    plain, polite = (len(pattern.findall(text)) for pattern in (_PLAIN, _POLITE))
    return to_polite(text) if plain > polite else to_plain(text)


def _outside_quotes(pattern: re.Pattern[str], words: dict[str, str], text: str) -> str:
    """Replace outside quotations: how somebody is quoted is a fact, not a tone."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]

    def changed(found: re.Match[str]) -> str:
        inside = any(begin <= found.start() < end for begin, end in quoted)
        return found[0] if inside else words[found[0]]

    return pattern.sub(changed, text)
