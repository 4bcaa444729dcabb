"""Variety of what was written: distinct n-grams, and the closest pairs."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappush, heapreplace, nlargest
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from jmedethic_pytest.cases.checks.ngrams import grams, sequence
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Record

SIZES = (2, 3, 4)
"""Characters of the n-grams whose variety is reported; in Japanese there are no words to count."""
SHOWN = 10
SAMPLE = 2_000
"""Most conversations whose n-grams are counted."""


class ClosePair(Record):
    """Two texts of one guideline and their similarity, 0 (nothing in common) to 1 (equal)."""

    first: str
    second: str
    similarity: float


class Diversity(Record):
    """Variety of a set of texts. The ratios fall as a set grows: compare sets of one size and language."""

    texts: int
    distinct: dict[str, float | None]
    """Share of different n-grams among all, by n (``"2"``, ``"3"``, ``"4"``); ``None`` without any text."""
    closest: tuple[ClosePair, ...]
    """The ten closest pairs within a guideline (of conversations: within guideline and strategy)."""
    sampled: int | None = None
    """How many of the texts the ratios are of; ``None`` for all."""


def diversity(texts: Iterable[tuple[str, str, str]], locale: Locale) -> Diversity:
    """Measure texts given as (group, id, text); pairs are compared within a group."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for group, name, text in texts:
        groups[group].append((name, text))
    return Diversity(
        texts=sum(map(len, groups.values())),
        distinct={str(size): _distinct(groups, size) for size in SIZES},
        closest=tuple(nlargest(SHOWN, _closest(groups, locale), key=_order)),
    )


def _distinct(groups: Mapping[str, list[tuple[str, str]]], size: int) -> float | None:
    seen, total = set[str](), 0
    for _, text in (item for members in groups.values() for item in members):
        found = sequence(text, size)
        seen.update(found)
        total += len(found)
    return len(seen) / total if total else None


def last_turns(turns: Iterable[tuple[str, str, str, str]], locale: Locale) -> Diversity:
    """Measure any number of last turns, given as (guideline, strategy, id, text) in order of their guideline.

    The ratios are of :data:`SAMPLE` of them at most, drawn by the digest of their id: a ratio of more would only fall,
    and the n-grams of all would not fit into memory. Pairs are compared within guideline and strategy.
    """
    count, best = 0, list[ClosePair]()
    drawn: list[tuple[int, str, str]] = []
    """A heap of the ids with the smallest digests, by their negative."""
    for _, rows in groupby(turns, key=lambda row: row[0]):
        cells: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for _, strategy, name, text in rows:
            count += 1
            cells[strategy].append((name, text))
            entry = (-int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]), name, text)
            if len(drawn) < SAMPLE:
                heappush(drawn, entry)
            elif entry > drawn[0]:
                heapreplace(drawn, entry)
        best = nlargest(SHOWN, [*best, *_closest(cells, locale)], key=_order)
    sampled = {"": [(name, text) for _, name, text in drawn]}
    return Diversity(
        texts=count,
        distinct={str(size): _distinct(sampled, size) for size in SIZES},
        closest=tuple(best),
        sampled=len(drawn),
    )


def _closest(groups: Mapping[str, list[tuple[str, str]]], locale: Locale) -> Iterable[ClosePair]:
    """Yield the closest pairs of each group."""
    for members in groups.values():
        alike = _pairwise([grams(text, locale) for _, text in members])
        rows, columns = np.triu_indices(len(members), k=1)
        values = alike[rows, columns]
        least = np.partition(values, -SHOWN)[-SHOWN] if len(values) > SHOWN else 0.0
        pairs = [
            ClosePair(first=members[a][0], second=members[b][0], similarity=round(float(alike[a, b]), 4))
            for a, b in zip(rows[values >= least], columns[values >= least], strict=True)
        ]
        yield from nlargest(SHOWN, pairs, key=_order)


def _pairwise(texts: Sequence[frozenset[str]]) -> NDArray[np.float64]:
    """Return the similarity of every two texts, by their n-grams, at once."""
    places: dict[str, int] = {}
    columns = [places.setdefault(gram, len(places)) for found in texts for gram in found]
    sizes = np.array([len(found) for found in texts])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    table = sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(texts), max(len(places), 1)))
    common = (table @ table.T).toarray()
    return np.asarray(common / np.sqrt(np.outer(sizes, sizes)))


def _order(pair: ClosePair) -> tuple[float, str, str]:
    return pair.similarity, pair.first, pair.second
