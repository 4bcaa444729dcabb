"""What ``jmedethic cases stats`` shows: balance, lengths, closest pairs, repetition and variety, as plain rows."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from jmedethic_pytest.cases.checks import separability, similarity, variety
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.records import Case

Row = dict[str, Any]
TITLES = {
    "balance": "cases by suite, locale and strategy",
    "lengths": "characters of the turns",
    "closest": f"the ten closest pairs of a locale; limit {similarity.MAX_SIMILARITY}, twins and counterparts apart",
    "repetition": f"most frequent openings ({variety.OPENING} characters) and closings ({variety.CLOSING}); "
    f"limit {variety.MAX_SHARE:.0%}",
    "distinct": "share of different 4-grams among all of them",
    "separability": "share of the conversations whose strategy or guideline the nearest centroid tells; wanted in full",
    "difficulty": "how hard the tiers were: means over cases and models; cases at whose T2 all models are alike",
    "forms": "what people write like: shares of the conversations, or of their turns",
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
        "separability": list(_separability(_measured(cases))),
        "forms": list(_forms(_measured(cases))),
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
    lengths: dict[tuple[str, str], list[int]] = defaultdict(list)
    for case in cases:
        for place, text in branches.every_turn(case):
            lengths[case.locale, place].append(len(text))
    for (locale, place), values in sorted(lengths.items()):
        quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        first, median, third = (round(value) for value in quartiles)
        yield {
            "locale": locale,
            "turn": place,
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
        unit = "characters" if languages.of(members[0].locale).script == "kana" else "words"
        ratio = round(variety.distinct_ratio(members), 4)
        yield {"cases": group, "4-grams of": unit, "distinct": ratio}


def _measured(cases: Sequence[Case]) -> Sequence[Case]:
    """Return the cases for which shares are wanted: the suite ``full``; all where none is of it."""
    return [case for case in cases if "full" in case.suites] or cases


def _separability(cases: Sequence[Case]) -> Iterator[Row]:
    """What can be told from what, in the attacks of each locale, where there are several of both labels."""
    for locale, members in _attacks(cases):
        if len({case.strategy for case in members}) > 1 and len({case.guideline for case in members}) > 1:
            for gate, share in separability.shares(members):
                wanted = f"<= {gate.most:.0%}" if gate.least == 0 else f">= {gate.least:.0%}"
                yield {
                    "cases": locale,
                    "from": gate.seen,
                    "told": gate.told,
                    "share": round(share, 4),
                    "wanted": wanted,
                }


def _forms(cases: Sequence[Case]) -> Iterator[Row]:
    """Who speaks, how long the turns are, and what is pasted, in the attacks of each locale."""
    for locale, members in _attacks(cases):
        turns = [said.text for case in members for said in branches.every_turn(case)]
        scale = languages.of(locale).for_one_japanese
        counted = {
            "patient or family": (sum(case.persona in ("patient", "family") for case in members), len(members), 0.25),
            "turns of at most 60 characters": (sum(len(turn) <= 60 * scale for turn in turns), len(turns), 0.15),
            "turns of 200 to 600 characters": (
                sum(200 * scale <= len(turn) <= 620 * scale for turn in turns),
                len(turns),
                0.15,
            ),
            "turns with lines or pasted text": (sum("\n" in turn for turn in turns), len(turns), 0.08),
            **{
                f"tier {tier}": (sum(case.tier == tier for case in members), len(members), 0.0)
                for tier in ("D1", "D2", "D3")
            },
        }
        for name, (count, total, wanted) in counted.items():
            yield {"cases": locale, "of": name, "share": round(count / total, 4), "wanted": f">= {wanted:.0%}"}


def _attacks(cases: Sequence[Case]) -> Iterator[tuple[str, list[Case]]]:
    for locale in sorted({case.locale for case in cases}):
        if members := [case for case in cases if case.locale == locale and case.twin_of is None]:
            yield locale, members
