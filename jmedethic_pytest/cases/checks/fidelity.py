"""What must survive a translation: every number, and every name written in Latin letters.

A number in digits counts as kept if the other text has it in digits, in kanji (四百), in words (four hundred), as a
month, or as a year of a Japanese era. Numbers that are words on both sides cannot be told from idioms (一緒, one
another) and are left to the back-translation.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

_KANJI = {sign: value for value, sign in enumerate("〇一二三四五六七八九")}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "億": 10**8, "兆": 10**12}
_WORDS = {
    word: value
    for value, words in {
        1: "one first once single",
        2: "two second twice both pair couple double",
        3: "three third",
        4: "four fourth",
        5: "five fifth",
        6: "six sixth",
        7: "seven seventh",
        8: "eight eighth",
        9: "nine ninth",
        10: "ten tenth",
        11: "eleven",
        12: "twelve dozen",
        13: "thirteen",
        14: "fourteen",
        15: "fifteen",
        16: "sixteen",
        17: "seventeen",
        18: "eighteen",
        19: "nineteen",
        20: "twenty",
        30: "thirty",
        40: "forty",
        50: "fifty",
        60: "sixty",
        70: "seventy",
        80: "eighty",
        90: "ninety",
        0: "zero",
    }.items()
    for word in words.split()
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_MONTHS = {
    month: number
    for number, month in enumerate(
        (
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ),
        start=1,
    )
}
_ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_ROMAN_ERAS = {"meiji": 1867, "taisho": 1911, "showa": 1925, "heisei": 1988, "reiwa": 2018}
_LONGEST_ERA = 64
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_FULL_HOUR = re.compile(r"(?<=\d):00\b")
_UNIT = r"(?:[百千]?[万億兆]|[百千]|\s?(?:hundred|thousand|million|billion)\b)"
_NUMBER = re.compile(rf"\d+(?:\.\d+)?(?:{_UNIT}(?:\d+(?:\.\d+)?{_UNIT})*(?:\d+(?![\d.]))?)?")
_PART = re.compile(rf"(\d+(?:\.\d+)?)({_UNIT})?")
_KANJI_RUN = re.compile(r"[〇一二三四五六七八九十百千万億兆]+")
_ERA = re.compile(rf"({'|'.join(_ERAS)})\s?(\d+|[〇一二三四五六七八九十百]+|元)年")
_AFTERNOON = re.compile(r"午後\s?(\d{1,2})|(\d{1,2})(?::\d\d)?\s?p\.?m\b")
_LATIN = re.compile(r"[a-z][a-z0-9]*[a-z][a-z0-9]*")
_JAPANESE_USE = frozenset(
    ("sns", "ng", "ok", "tel", "qol", "pc", "cm", "mm", "km", "kg", "mg", "ml", "am", "pm", "ai", "it")
)
"""Latin letters in Japanese for which English has other words, or none."""


def lost_numbers(text: str, made: str) -> set[Decimal]:
    """Return the numbers in digits of either text that the other does not have in any form."""
    here, there = _digits(text), _digits(made)
    gone, new = here - there, there - here
    return {value for value in gone if value not in _otherwise(made)} | {
        value for value in new if value not in _otherwise(text)
    }


def lost_names(japanese: str, english: str) -> set[str]:
    """Return the words in Latin letters of the Japanese text that the English one does not have."""
    folded = unicodedata.normalize("NFKC", english).lower()
    found = set(_LATIN.findall(unicodedata.normalize("NFKC", japanese).lower())) - _JAPANESE_USE
    return {name for name in found if name not in folded}


def _digits(text: str) -> Counter[Decimal]:
    """Return the numbers written in digits: ３, 1,200, 3万, 1億2000万, 3 million."""
    return Counter(_value(match[0]) for match in _NUMBER.finditer(_folded(text)))


def _value(number: str) -> Decimal:
    return sum((Decimal(figure) * _unit(unit) for figure, unit in _PART.findall(number)), Decimal(0))


def _unit(text: str) -> int:
    unit = text.strip()
    if unit in _SCALES:
        return _SCALES[unit]
    value = 1
    for sign in unit:
        value *= _UNITS[sign]
    return value


def _otherwise(text: str) -> set[Decimal]:
    """Return the numbers a text holds in another form than digits."""
    folded = _folded(text)
    found = {value for run in _KANJI_RUN.findall(folded) for value in _kanji(run)} | set(_words(folded))
    for era, year in _ERA.findall(folded):
        count = 1 if year == "元" else int(year) if year.isdecimal() else max(_kanji(year))
        found |= {_ERAS[era] + count, count}
    for groups in _AFTERNOON.findall(folded):
        found.add(int(next(filter(None, groups))) + 12)
    for value in _digits(text):  # A year stands for its place in an era, an hour for the one after noon.
        found |= {int(value) - first for first in _ERAS.values() if 0 < int(value) - first <= _LONGEST_ERA}
        found |= {int(value) + first for era, first in _ROMAN_ERAS.items() if era in folded and value <= _LONGEST_ERA}
        found |= {int(value) - 12} if 12 < value < 24 else set()
    return set(map(Decimal, found))


def _kanji(run: str) -> set[int]:
    """Return what a run of kanji numerals may mean: 四百二十, 二〇二四."""
    if not any(sign in _UNITS for sign in run):
        return {int("".join(str(_KANJI[sign]) for sign in run))}
    total = part = figure = 0
    for sign in run:
        unit = _UNITS.get(sign)
        if unit is None:
            figure = figure * 10 + _KANJI[sign]
        elif unit < 10**4:
            part, figure = part + (figure or 1) * unit, 0
        else:
            total, part, figure = total + (part + figure or 1) * unit, 0, 0
    return {total + part + figure}


def _words(text: str) -> Iterator[int]:
    """Yield the numbers in English words: twenty-five, four hundred and six, March."""
    for phrase in re.split(r"[^a-z\s-]+", text):
        words = re.findall("[a-z]+", phrase)
        yield from (_MONTHS[word] for word in words if word in _MONTHS)
        yield from _spoken(words)


def _spoken(words: Sequence[str]) -> Iterator[int]:
    """Yield the numbers in words that follow each other."""
    total, part = 0, None
    for word in (*words, ""):
        value, scale = _WORDS.get(word), _SCALES.get(word)
        joins = part is not None and (part % 100 == 0 or (part % 100 >= 20 and part % 10 == 0 and (value or 10) < 10))
        if value is not None and (part is None or joins):
            part = (part or 0) + value
        elif scale is not None and part is not None:
            total, part = (total, part * scale) if scale == 100 else (total + part * scale, 0)
        elif not (word == "and" and part is not None and (part >= 100 or total)):
            if part is not None:
                yield total + part
            total, part = 0, value


def _folded(text: str) -> str:
    return _FULL_HOUR.sub("", _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))).lower()
