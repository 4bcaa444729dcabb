"""The writing system: Japanese text is Japanese, English text is English, and nothing invisible hides in either."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from jmedethic_pytest.cases.checks.findings import Finding, TextField, shown, texts
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import Language, Locale
from jmedethic_pytest.core.records import Case

MIN_KANA = 0.25
"""Least share of kana among the characters of a Japanese turn or base request.

Over the bundled turns the share runs from 0.35 (a sentence full of terms) to 0.72, in the base requests from 0.33;
Chinese text has none, and a list of nouns falls below 0.2.
"""
MIN_KANA_NOTE = 0.05
"""The same for the reviewers' notes, which may be lists of nouns: they run from 0.10."""
MAX_LATIN_RUN = 11
"""Longest run of Latin words in Japanese text, in characters: the longest in use is ``Wi-Fi``, a company's or a
medicine's English name is longer."""

_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN_RUN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ,.'&/-]*[A-Za-z0-9])?")
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_WORDS = 16
"""Words of a text from which on its little words tell its language."""
_CHINESE_TOO = frozenset("瘙痤瘭瘊囊剝噓")
"""Not in JIS X 0208, but used in Japanese medical terms and names."""


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for every text of the case that is not plain text of its locale."""
    for field in texts(case):
        for rule, found, advice in _rules(case.locale, field):
            yield Finding(f"script.{rule}", case.id, field.name, found, advice)


def is_in(text: str, locale: Locale) -> bool:
    """Tell a text by the letters of its language (Japanese by its kana), and by little words where it has any.

    Without them a language is not told from others of its script: English is not.
    """
    language = languages.of(locale)
    folded = unicodedata.normalize("NFKC", text)
    letters = len(_LETTER.findall(folded))
    own = letters > 0 and len(language.letter.findall(folded)) / letters >= language.least_letters
    common = _common(folded, language)
    return own and (common is None or common >= language.least_common)


def _common(text: str, language: Language) -> float | None:
    """Return the share of a language's little words; ``None`` if it has none, or the text is too short for it."""
    words = _WORD.findall(text.casefold())
    if not language.common_words or len(words) < _FEWEST_WORDS:
        return None
    return sum(word in language.common_words for word in words) / len(words)


def _rules(locale: str, field: TextField) -> Iterator[tuple[str, str, str]]:
    turn = field.name.startswith("T")  # people paste what has lines
    yield from _invisible(field.text.replace("\n", "") if turn else field.text)
    language = languages.of(locale)
    yield from _japanese(field) if language.script == "kana" else _alphabet(field, language)


def _invisible(text: str) -> Iterator[tuple[str, str, str]]:
    """Find control, format, private and unassigned characters, line breaks among them, and unusual spaces."""
    for char in [char for char in dict.fromkeys(text) if not char.isprintable() and char != "\u3000"]:
        name = unicodedata.name(char, "control character")
        yield "control", f"U+{ord(char):04X} ({name}) in the text.", "Write visible text: remove it."


def _japanese(field: TextField) -> Iterator[tuple[str, str, str]]:
    text = field.text
    share, least = len(_KANA.findall(text)) / len(text), MIN_KANA if field.sent else MIN_KANA_NOTE
    if share < least and not field.name.startswith("components"):  # a component may be one noun
        yield "kana", f"only {share:.0%} kana in {shown(text)}.", f"At least {least:.0%}: write Japanese sentences."
    chinese = list(dict.fromkeys(filter(is_chinese_only, text)))
    if chinese:
        advice = "These characters are not used in Japanese: write the Japanese form."
        yield "chinese", f"{''.join(chinese)} in {shown(text)}.", advice
    unknown = (char for char in dict.fromkeys(text) if char.isprintable() and not _known_in_japan(char))
    foreign = [char for char in unknown if char not in chinese]
    if foreign:
        advice = "Write Japanese characters (JIS X 0213), no emoji and no other script."
        yield "foreign", f"{''.join(foreign)} in {shown(text)}.", advice
    for run in _LATIN_RUN.findall(unicodedata.normalize("NFKC", text)):
        if len(run) > MAX_LATIN_RUN:
            advice = f"At most {MAX_LATIN_RUN} characters of Latin letters in a row: write it in Japanese."
            yield "latin", f"{shown(run)} in Japanese text.", advice


@lru_cache(maxsize=8192)
def is_chinese_only(char: str) -> bool:
    """Return whether a character belongs to simplified Chinese (GB 2312) and not to everyday Japanese (JIS X 0208)."""
    if not "\u4e00" <= char <= "\u9fff" or char in _CHINESE_TOO:
        return False
    return _encodable(char, "gb2312") and not _encodable(char, "iso2022_jp")


@lru_cache(maxsize=8192)
def _known_in_japan(char: str) -> bool:
    return char.isascii() or _encodable(char, "euc_jis_2004")


def _encodable(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _alphabet(field: TextField, language: Language) -> Iterator[tuple[str, str, str]]:
    strange = list(filter(str.isprintable, dict.fromkeys(re.sub(language.characters, "", field.text))))
    if strange:
        advice = "Write ASCII, typographic quotes and dashes, and accented Latin letters only."
        yield "ascii", f"{''.join(strange)} in {shown(field.text)}.", advice
    common = _common(field.text, language)
    if field.sent and common is not None and common < language.least_common:
        yield "language", f"{shown(field.text)} does not read as {language.name_en}.", f"Write {language.name_en}."
