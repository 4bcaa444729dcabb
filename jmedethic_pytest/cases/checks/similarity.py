"""Near-duplicates: conversations of one locale that tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.checks.ngrams import sequence, size
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Case

MAX_SIMILARITY = 0.12
"""Largest similarity of two conversations that are no twins.

Justified on the bundled suites. The ten closest pairs of each language (0.04 to 0.063 in Japanese, 0.05 to 0.060 in
English) were read: they share a strategy and its formulas (field notes of an invented place, a drama's house rules),
while setting, persona, wrong and artefact differ: none is a duplicate. The twins show what one looks like, as they tell
their counterpart's story: median 0.35, 97 % above 0.12. Twice the closest honest pair separates the two.
"""
_BLOCK = 500
"""Rows compared at a time: bounds the memory for large sets."""


class Pair(NamedTuple):
    """Two conversations and their similarity, 0 (nothing in common) to 1 (equal)."""

    similarity: float
    first: Case
    second: Case


def check(cases: Sequence[Case]) -> Iterator[Finding]:
    """Yield a finding for every pair of conversations of a locale above ``MAX_SIMILARITY``."""
    for pair in pairs(cases, MAX_SIMILARITY):
        found = f"tells the story of {pair.second.id} (similarity {pair.similarity:.2f}, at most {MAX_SIMILARITY})."
        advice = "Rewrite one of the two: other setting, other wording, other artefact."
        yield Finding("similarity.duplicate", pair.first.id, "T1+T2", found, advice)


def closest(cases: Sequence[Case], count: int = 10) -> list[Pair]:
    """Return the most similar pairs of a locale's cases, closest first."""
    found = pairs(cases, MAX_SIMILARITY / 4)
    return (found if len(found) >= count else pairs(cases, 0.0))[:count]


def pairs(cases: Sequence[Case], above: float) -> list[Pair]:
    """Return the pairs within a locale above a similarity, closest first.

    Compared is what the conversation says after T0 (a twin copies that), as cosine over tf-idf weights of the distinct
    character n-grams; a twin is not compared with its counterpart.
    """
    found: list[Pair] = []
    for locale in sorted({case.locale for case in cases}):
        members = [case for case in cases if case.locale == locale]
        matrix = _weights([_grams(case) for case in members])
        for start in range(0, len(members), _BLOCK):
            near = sparse.triu(matrix[start : start + _BLOCK] @ matrix.T, k=start + 1).tocoo()
            for entry in np.flatnonzero(near.data > above):
                first, second = members[start + near.row[entry]], members[near.col[entry]]
                if _story(first) != _story(second):
                    found.append(Pair(float(near.data[entry]), first, second))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.first.id, pair.second.id))


def _story(case: Case) -> str:
    """Return the stem of the case itself, or of the counterpart it is a twin of."""
    return case.twin_of or case.stem


def _grams(case: Case) -> dict[str, None]:
    """Return the distinct n-grams of the turns after T0 (of T0 in a single-turn case), in order of the text."""
    turns = [said.text for said in branches.every_turn(case)]
    return dict.fromkeys(sequence("\n".join(turns[1:] or turns), size(case.locale)))


def _weights(documents: Sequence[dict[str, None]]) -> sparse.csr_array:
    """Return one row per document, of length 1 in all its n-grams, weighted log(1 + documents / documents with it).

    N-grams of one document alone count in the length and are then left out: they meet nothing.
    """
    vocabulary: dict[str, int] = {}
    columns = np.array([vocabulary.setdefault(gram, len(vocabulary)) for grams in documents for gram in grams], int)
    rows = np.repeat(np.arange(len(documents)), [len(grams) for grams in documents])
    frequency = np.bincount(columns, minlength=len(vocabulary))
    weights = np.log1p(len(documents) / frequency[columns])
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(documents)))
    shared = frequency[columns] > 1
    entries = (weights[shared] / lengths[rows[shared]], (rows[shared], columns[shared]))
    return sparse.csr_array(entries, shape=(len(documents), len(vocabulary)))
