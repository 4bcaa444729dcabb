"""How alike two short texts are: cosine over their distinct character n-grams, 0 (nothing in common) to 1 (equal)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from jmedethic_pytest.cases.checks.ngrams import sequence
from jmedethic_pytest.core.vocabulary import Locale

SIZES: dict[Locale, int] = {"ja": 2, "en": 4}
"""Characters of an n-gram: shorter than for whole conversations, since a question has only some hundred characters."""


def grams(text: str, locale: Locale) -> frozenset[str]:
    """Return the distinct n-grams of a text in NFKC; the text itself if it is shorter than one."""
    return frozenset(sequence(text, SIZES[locale])) or frozenset([text])


def likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the similarity of two sets of n-grams."""
    return len(first & second) / sqrt(len(first) * len(second))


def closest(grams_of_text: frozenset[str], others: Iterable[frozenset[str]]) -> float:
    """Return the similarity to the most similar of some texts, 0 if there are none."""
    return max((likeness(grams_of_text, other) for other in others), default=0.0)


def pairwise(texts: Sequence[frozenset[str]]) -> NDArray[np.float64]:
    """Return the similarity of every two texts, by their n-grams, at once."""
    places: dict[str, int] = {}
    columns = [places.setdefault(gram, len(places)) for found in texts for gram in found]
    sizes = np.array([len(found) for found in texts])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    table = sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(texts), max(len(places), 1)))
    common = (table @ table.T).toarray()
    return np.asarray(common / np.sqrt(np.outer(sizes, sizes)))
