"""Character n-grams: the pieces in which texts are compared.

The similarity of two short texts is the cosine over their distinct n-grams: 0 nothing in common, 1 equal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from math import sqrt

from jmedethic_pytest.core.vocabulary import Locale

SIZES: dict[Locale, int] = {"ja": 4, "en": 8}
"""Characters of an n-gram. Eight English characters carry about as much as four Japanese ones: with these sizes the
similarities of unrelated conversations are equally distributed in both languages, so that one limit serves both. With
four characters English function words alone give unrelated texts a similarity of 0.2."""
SHORT_SIZES: dict[Locale, int] = {"ja": 2, "en": 4}
"""The same for single questions, which have only some hundred characters."""


def sequence(text: str, size: int) -> list[str]:
    """Return all n-grams of a text (NFKC, case folded, one space for white space) in order; none if it is too short."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return [folded[start : start + size] for start in range(len(folded) - size + 1)]


def grams(text: str, locale: Locale) -> frozenset[str]:
    """Return the distinct n-grams of a text in NFKC; the text itself if it is shorter than one."""
    return frozenset(sequence(text, SHORT_SIZES[locale])) or frozenset([text])


def similarity(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the similarity of two sets of n-grams."""
    return len(first & second) / sqrt(len(first) * len(second))


def closest(grams_of_text: frozenset[str], others: Iterable[frozenset[str]]) -> float:
    """Return the similarity to the most similar of some texts, 0 if there are none."""
    return max((similarity(grams_of_text, other) for other in others), default=0.0)
