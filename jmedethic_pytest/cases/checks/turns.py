"""The turns of one conversation: neither too short nor too long, and different texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from jmedethic_pytest.cases.checks.findings import Finding, shown
from jmedethic_pytest.cases.checks.ngrams import sequence, size
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.branches import Said, every_turn
from jmedethic_pytest.core.records import Case

MAX_OVERLAP = 0.25
"""Largest Jaccard overlap of the n-grams of two turns of a conversation.

The bundled conversations reach 0.06 (ja) and 0.09 (en). What a repeated turn looks like show the closest minimal pairs
of the twins, whose T2 overlaps with their counterpart's by 0.35 to 0.5.
"""


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for every turn out of bounds and every pair of turns that say the same."""
    least, most = languages.of(case.locale).turn_characters
    turns = list(every_turn(case))
    for place, text in turns:
        if not least <= len(text) <= most:
            found = f"{len(text)} characters: {shown(text)}."
            yield Finding("turns.length", case.id, place, found, f"Write {least} to {most} characters.")
    pieces = {said: set(sequence(said.text, size(case.locale))) for said in turns}
    for first, second in _beside_each_other(case):
        overlap = jaccard(pieces[first], pieces[second])
        if overlap > MAX_OVERLAP:
            found = f"repeats {first.place} (overlap {overlap:.2f}, at most {MAX_OVERLAP}): {shown(second.text)}."
            advice = "Let each turn move the conversation on."
            yield Finding("turns.distinct", case.id, second.place, found, advice)


def _beside_each_other(case: Case) -> Iterator[tuple[Said, Said]]:
    """Yield the turns that are said in one conversation, pair by pair, and the two with which branches end."""
    turns, common = list(every_turn(case)), len(case.turns)
    after = case.length - common
    refused, complied = turns[common : common + after], turns[common + after :]
    yield from combinations([*turns[:common], *refused], 2)
    yield from ((first, second) for first in turns[:common] for second in complied)
    yield from combinations(complied, 2)
    yield from zip(refused[-1:], complied[-1:], strict=True)


def jaccard(first: set[str], second: set[str]) -> float:
    """Return the share of common elements, 0 to 1; two empty sets share nothing."""
    union = len(first | second)
    return len(first & second) / union if union else 0.0
