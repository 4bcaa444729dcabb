"""What a rewriter never touches: numbers, names of institutions, negations and, in Japanese, words in Latin letters.

A token may change its width (full or half), which changes no meaning; so tokens are compared in NFKC.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from jmedethic_pytest.core.languages import Locale

_DIGITS = "0-9\uff10-\uff19"
_LATIN = "A-Za-z\uff21-\uff3a\uff41-\uff5a"
_NUMBER = rf"[{_DIGITS}]+(?:[.,:/．，][{_DIGITS}]+)*"
_NAME = rf"[一-龠々〇ァ-ヺーｦ-ﾟ{_LATIN}{_DIGITS}]*"
_INSTITUTIONS_JA = (
    "病院|医院|診療所|クリニック|大学|学会|医師会|薬剤師会|看護協会|協会|委員会|センター|保健所|研究所|薬局|学校"
    "|省|庁|裁判所|財団|機構|会社|法人|研究科|学部|警察|労基署|監督署"
)
_NEGATIONS_JA = "ません|ませぬ|ない|なく|なか|なけ|なきゃ|なし|まい|ず|ぬ|ねば|[不非未無禁否]"
_NEGATIONS_EN = (
    r"(?:\w+n['’]t|cannot|not|no|never|none|nobody|nothing|nowhere|nor|neither|without|unless|except|hardly|barely)"
)
_PATTERNS: Mapping[Locale, Mapping[str, re.Pattern[str]]] = {
    "ja": {
        "institution": re.compile(rf"{_NAME}(?:{_INSTITUTIONS_JA})"),
        "number": re.compile(rf"{_NUMBER}|[〇一二三四五六七八九十百千万億兆]+"),
        "latin": re.compile(rf"[{_LATIN}][{_LATIN}{_DIGITS}.&-]*"),
        "negation": re.compile(_NEGATIONS_JA),
    },
    "en": {
        # Capitals within a sentence, two in a row, and whatever stands with them: "NHI", "University of Tokyo".
        "institution": re.compile(
            r"\b[A-Z]{2,}\w*\b|\b[A-Z]\w+(?: (?:of|for|and|the))*(?: [A-Z]\w+)+|(?<=[a-z,;:'’\"(] )[A-Z]\w+"
        ),
        "number": re.compile(
            rf"\w*[{_DIGITS}][\w.,:/%]*\w|[{_DIGITS}]"
            r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty"
            r"|sixty|seventy|eighty|ninety|hundred|thousand|million|half|twice|once)\b",
            re.IGNORECASE,
        ),
        "negation": re.compile(rf"\b{_NEGATIONS_EN}\b", re.IGNORECASE),
    },
}
_INSTITUTION_WORDS_EN = re.compile(r"^I(?:['’]\w+)?$")
"""A capital that is no name."""


def spans(text: str, locale: Locale, kinds: tuple[str, ...] = ()) -> list[tuple[int, int]]:
    """Return where protected tokens stand, in order; they may overlap.

    Args:
        text: of a user turn.
        locale: its language.
        kinds: ``institution``, ``number``, ``latin``, ``negation``; all of them if none is named.
    """
    patterns = _PATTERNS[locale]
    chosen = [pattern for kind, pattern in patterns.items() if not kinds or kind in kinds]
    found = (match.span() for pattern in chosen for match in pattern.finditer(text))
    return sorted(span for span in found if not _INSTITUTION_WORDS_EN.match(text[span[0] : span[1]]))


def free(text: str, locale: Locale, kinds: tuple[str, ...] = ()) -> list[bool]:
    """Tell of every character whether a rewriter may touch it; arguments as of :func:`spans`."""
    allowed = [True] * len(text)
    for begin, end in spans(text, locale, kinds):
        allowed[begin:end] = [False] * (end - begin)
    return allowed


def tokens(text: str, locale: Locale) -> Counter[str]:
    """Count the protected tokens of a text, by kind and in NFKC, without white space and case."""
    return Counter(
        f"{kind} {_folded(match[0])}"
        for kind, pattern in _PATTERNS[locale].items()
        for match in pattern.finditer(text)
        if not _INSTITUTION_WORDS_EN.match(match[0])
    )


def _folded(token: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", token))
