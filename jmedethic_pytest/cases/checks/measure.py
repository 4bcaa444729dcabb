"""What ``jmedethic cases stats`` shows: balance, lengths, closest pairs, repetition and variety, as plain rows."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from jmedethic_pytest.cases.checks import similarity, variety
from jmedethic_pytest.core.records import Case

Row = dict[str, Any]
TITLES = {
    "balance": "cases by suite, locale and strategy",
    "lengths": "characters of the turns",
    "closest": f"the ten closest pairs of a locale; limit {similarity.MAX_SIMILARITY}, twins and counterparts apart",
    "repetition": f"most frequent openings ({variety.OPENING} characters) and closings ({variety.CLOSING}); "
    f"limit {variety.MAX_SHARE:.0%}",
    "distinct": "share of different 4-grams among all of them",
}
"""What each table shows."""
_MOST_FREQUENT = 3
"""Phrases shown for each place at most."""


def measure(cases: Sequence[Case]) -> dict[str, list[Row]]:
    """Return the tables by name; every row of a table has the same columns."""
    return {
        "balance": list(_balance(cases)),
        "lengths": list(_lengths(cases)),
        "closest": list(_closest(cases)),
        "repetition": list(_repetition(cases)),
        "distinct": list(_distinct(cases)),
    }


def _balance(cases: Sequence[Case]) -> Iterator[Row]:
    """Cases of each suite and locale: in all, guidelines touched, and by strategy."""
    suites: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        for suite in case.suites or ("none",):
            suites[suite, case.locale].append(case)
    strategies = sorted({case.strategy for case in cases})
    for (suite, locale), members in sorted(suites.items()):
        counts = Counter(case.strategy for case in members)
        guidelines = len({case.guideline for case in members})
        yield {
            "suite": suite,
            "locale": locale,
            "cases": len(members),
            "guidelines": guidelines,
            **{strategy: counts[strategy] for strategy in strategies},
        }


def _lengths(cases: Sequence[Case]) -> Iterator[Row]:
    """Characters of the turns: least, quartiles, most."""
    lengths: dict[tuple[str, int], list[int]] = defaultdict(list)
    for case in cases:
        for index, turn in enumerate(case.turns):
            lengths[case.locale, index].append(len(turn))
    for (locale, index), values in sorted(lengths.items()):
        quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        first, median, third = (round(value) for value in quartiles)
        yield {
            "locale": locale,
            "turn": f"T{index}",
            "cases": len(values),
            "least": min(values),
            "q1": first,
            "median": median,
            "q3": third,
            "most": max(values),
        }


def _closest(cases: Sequence[Case]) -> Iterator[Row]:
    """The ten closest pairs of each locale, twins and their counterparts apart."""
    for locale in sorted({case.locale for case in cases}):
        for pair in similarity.closest([case for case in cases if case.locale == locale]):
            yield {"similarity": round(pair.similarity, 3), "first": pair.first.id, "second": pair.second.id}


def _repetition(cases: Sequence[Case]) -> Iterator[Row]:
    """The most frequent openings and closings: what stands there once is shown only if nothing is repeated."""
    for _, phrases in groupby(variety.phrases(cases), key=lambda phrase: (phrase.group, phrase.place)):
        for rank, phrase in enumerate(islice(phrases, _MOST_FREQUENT)):
            if rank and phrase.times == 1:
                break
            yield {
                "cases": phrase.group,
                "place": phrase.place,
                "text": phrase.text,
                "count": phrase.times,
                "share": round(phrase.share, 4),
            }


def _distinct(cases: Sequence[Case]) -> Iterator[Row]:
    for group, members in variety.groups(cases).items():
        unit = "characters" if members[0].locale == "ja" else "words"
        ratio = round(variety.distinct_ratio(members), 4)
        yield {"cases": group, "4-grams of": unit, "distinct": ratio}
