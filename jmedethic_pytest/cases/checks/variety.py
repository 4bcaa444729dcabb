"""Variety of wording: how often conversations open or close alike, and how many of their n-grams are different ones."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jmedethic_pytest.cases.checks.findings import Finding, shown
from jmedethic_pytest.cases.checks.ngrams import sequence
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.records import Case

OPENING = 8
"""Characters that count as the opening of a turn."""
CLOSING = 10
"""Characters that count as the closing of the last turn."""
MAX_SHARE = 0.03
"""Largest share of a group's conversations with the same opening or closing."""
_FREE = 2
"""So many may be alike in any group: in a small one two conversations are more than 3 %."""
_GRAM = 4
"""Characters or words of the n-grams whose variety is reported."""


class Phrase(NamedTuple):
    """An opening or closing and how often it stands there."""

    group: str
    """The locale; twins apart (``ja twins``), and without their T0, which is their counterpart's."""
    place: str
    """``T0 opening`` ... ``T2 closing``; the turns of all branches together are ``branch opening``, their ends
    ``branch closing``."""
    text: str
    times: int
    total: int
    """Conversations of the group with such a turn."""
    cases: tuple[str, ...]
    """Their ids."""

    @property
    def share(self) -> float:
        """Share of the group's conversations, 0 to 1."""
        return self.times / self.total


def check(cases: Sequence[Case]) -> Iterator[Finding]:
    """Yield a finding for every phrase that opens or closes more than 3 % of a group's conversations."""
    for phrase in phrases(cases):
        if phrase.times > max(_FREE, MAX_SHARE * phrase.total):
            found = (
                f"{shown(phrase.text)} in {phrase.times} of {phrase.total} conversations ({phrase.share:.1%}, at most "
                f"{MAX_SHARE:.0%}): {', '.join(phrase.cases[:8])}{', ...' if phrase.times > 8 else ''}."
            )
            rule = phrase.place.split()[-1]
            yield Finding(f"variety.{rule}", phrase.group, phrase.place, found, "Word some of them differently.")


def phrases(cases: Sequence[Case]) -> Iterator[Phrase]:
    """Yield every opening of every turn and every closing of the last one, most frequent first within its place."""
    for group, members in groups(cases).items():
        places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for case in members:
            turns = list(branches.every_turn(case))
            for place, text in turns:
                if place == "T0" and case.twin_of:
                    continue
                places[f"{'branch' if ' ' in place else place} opening"][text[:OPENING]].append(case.id)
            ends = f"T{case.length - 1}" if turns[-1].place == turns[case.length - 1].place else "branch"
            for text in {turns[case.length - 1].text, turns[-1].text}:
                places[f"{ends} closing"][text[-CLOSING:]].append(case.id)
        for place, found in sorted(places.items()):
            total = sum(map(len, found.values()))
            for text, ids in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
                yield Phrase(group, place, text, len(ids), total, tuple(ids))


def groups(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """Return the cases by locale, twins apart."""
    found: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        found[case.locale + (" twins" if case.twin_of else "")].append(case)
    return dict(sorted(found.items()))


def distinct_ratio(cases: Sequence[Case]) -> float:
    """Return the share of different 4-grams (characters in Japanese, else words) among all those of the turns, 0 to 1.

    The ratio falls as the number of cases grows, so compare sets of one size and language.
    """
    counts: Counter[str | tuple[str, ...]] = Counter()
    for case in cases:
        for _, turn in branches.every_turn(case):
            if languages.of(case.locale).script == "kana":
                counts.update(sequence(turn, _GRAM))
            else:
                words = re.findall(r"[\w'’-]+", turn.casefold())
                counts.update(tuple(words[start : start + _GRAM]) for start in range(len(words) - _GRAM + 1))
    return len(counts) / counts.total() if counts else 0.0
