"""Character n-grams: the pieces in which texts are compared.

The similarity of two short texts is the cosine over their distinct n-grams: 0 nothing in common, 1 equal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from math import sqrt

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import Locale


def size(locale: Locale) -> int:
    """Return the characters of an n-gram in a language.

    Eight English characters carry about as much as four Japanese ones: with these sizes the similarities of unrelated
    conversations are equally distributed in both languages, so that one limit serves both.
    """
    return languages.of(locale).gram


def sequence(text: str, size: int) -> list[str]:
    """Return all n-grams of a text (NFKC, case folded, one space for white space) in order; none if it is too short."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return [folded[start : start + size] for start in range(len(folded) - size + 1)]


def grams(text: str, locale: Locale) -> frozenset[str]:
    """Return the distinct n-grams of a text in NFKC; the text itself if it is shorter than one."""
    return frozenset(sequence(text, languages.of(locale).short_gram)) or frozenset([text])


def similarity(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the similarity of two sets of n-grams."""
    return len(first & second) / sqrt(len(first) * len(second))


def closest(grams_of_text: frozenset[str], others: Iterable[frozenset[str]]) -> float:
    """Return the similarity to the most similar of some texts, 0 if there are none."""
    return max((similarity(grams_of_text, other) for other in others), default=0.0)
