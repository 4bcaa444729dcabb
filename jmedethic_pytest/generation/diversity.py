"""Variety of what was written: distinct n-grams, and the closest pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import nlargest
from itertools import combinations

from jmedethic_pytest.casecheck.ngrams import sequence
from jmedethic_pytest.generation.likeness import grams, likeness
from jmedethic_pytest.records import Record
from jmedethic_pytest.taxonomy import Locale

SIZES = (2, 3, 4)
"""Characters of the n-grams whose variety is reported; in Japanese there are no words to count."""
SHOWN = 10


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
    """The ten closest pairs within a guideline."""


def diversity(texts: Iterable[tuple[str, str, str]], locale: Locale) -> Diversity:
    """Measure texts given as (group, id, text); pairs are compared within a group."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for group, name, text in texts:
        groups[group].append((name, text))
    return Diversity(
        texts=sum(map(len, groups.values())),
        distinct={str(size): _distinct(groups, size) for size in SIZES},
        closest=tuple(nlargest(SHOWN, _closest(groups, locale), key=lambda pair: (pair.similarity, pair.first))),
    )


def _distinct(groups: Mapping[str, list[tuple[str, str]]], size: int) -> float | None:
    seen, total = set[str](), 0
    for _, text in (item for members in groups.values() for item in members):
        found = sequence(text, size)
        seen.update(found)
        total += len(found)
    return len(seen) / total if total else None


def _closest(groups: Mapping[str, list[tuple[str, str]]], locale: Locale) -> Iterable[ClosePair]:
    """Yield the closest pairs of each group."""
    for members in groups.values():
        sets = [(name, grams(text, locale)) for name, text in members]
        pairs = (
            ClosePair(first=a, second=b, similarity=round(likeness(x, y), 4))
            for (a, x), (b, y) in combinations(sets, 2)
        )
        yield from nlargest(SHOWN, pairs, key=lambda pair: (pair.similarity, pair.first))
