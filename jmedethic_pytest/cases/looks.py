"""The order of a run that is looked at before its end: what stands before each look is a small picture of the whole.

A look counts different adversarial cases, in the order of sampling; a case brings all its languages along. Benign twins
are spread alike: before a look stands the same share of them as of the attacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from jmedethic_pytest.cases.selection import stratified_order
from jmedethic_pytest.core.labels import Labelled

L = TypeVar("L", bound=Labelled)
_KINDS = {"guideline": (1.0, 0.05), "strategy": (1.0, 0.05), "locale": (1.0, 0.05), "length": (3.0, 0.1)}
"""Cases, or part of its share, by which a kind may be more or less frequent before a look than in the whole run; the
order is made for guidelines and strategies, and knows no lengths."""
_SHOWN = 3


def attacks(cases: Sequence[Labelled]) -> int:
    """Return how many different adversarial cases there are."""
    return len({case.stem for case in cases if not case.twin_of})


def segments(cases: Sequence[L], looks: Sequence[int], seed: int) -> list[list[L]]:
    """Return the cases that stand before each look and after the one before.

    Args:
        cases: all of the run.
        looks: numbers of different adversarial cases, increasing; the last one is all of them.
        seed: of the order.
    """
    by_stem: dict[str, list[L]] = {}
    for case in cases:
        by_stem.setdefault(case.stem, []).append(case)
    firsts = [members[0] for members in by_stem.values()]
    hostile = list(stratified_order([case for case in firsts if not case.twin_of], seed))
    benign = list(stratified_order([case for case in firsts if case.twin_of], seed))
    ends = [(look, round(len(benign) * look / looks[-1])) for look in looks]
    return [
        [case for stem in (*hostile[begin:end], *benign[first:last]) for case in by_stem[stem]]
        for (begin, first), (end, last) in pairwise([(0, 0), *ends])
    ]


def unlike(parts: Sequence[Sequence[Labelled]]) -> Iterator[str]:
    """Yield how what stands before a look is no small picture of the whole run, in words.

    Guidelines, strategies, languages and lengths of conversations must be there, as often as their share.

    Args:
        parts: as :func:`segments` returns them.
    """
    whole = [case for part in parts for case in part]
    for last in range(1, len(parts)):
        seen = [case for part in parts[:last] for case in part]
        found = [line for name in _KINDS for line in _unlike(name, seen, whole)]
        if found:
            more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield f"the first {attacks(seen)} cases hold {', '.join(found[:_SHOWN])}{more}"


def _unlike(name: str, seen: Sequence[Labelled], whole: Sequence[Labelled]) -> Iterator[str]:
    """Yield the kinds by a label that are too rare or too frequent among the attacks before a look."""
    now, total = (_counts(name, cases) for cases in (seen, whole))
    near, part = _KINDS[name]
    for kind in sorted(total, key=str):
        share = total[kind] * attacks(seen) / attacks(whole)
        if not now[kind] or abs(now[kind] - share) > max(near, part * share):
            yield f"{now[kind]} of {name} {kind} (its share would be {share:.1f})"


def _counts(name: str, cases: Sequence[Labelled]) -> Counter[str]:
    """Count different attacks by a label; each language of a case counts as one where languages are asked for."""
    return Counter(kind for kind, _ in {(getattr(case, name), case.stem) for case in cases if not case.twin_of})
