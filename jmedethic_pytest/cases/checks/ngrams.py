"""Character n-grams: the pieces in which texts are compared."""

from __future__ import annotations

import unicodedata

from jmedethic_pytest.core.vocabulary import Locale

SIZES: dict[Locale, int] = {"ja": 4, "en": 8}
"""Characters of an n-gram. Eight English characters carry about as much as four Japanese ones: with these sizes the
similarities of unrelated conversations are equally distributed in both languages, so that one limit serves both. With
four characters English function words alone give unrelated texts a similarity of 0.2."""


def sequence(text: str, size: int) -> list[str]:
    """Return all n-grams of a text (NFKC, case folded, one space for white space) in order; none if it is too short."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return [folded[start : start + size] for start in range(len(folded) - size + 1)]
