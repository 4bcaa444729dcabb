"""Which case is evaluated in which part of a run that is divided among machines.

A case goes with its other language and with its benign twin, so that nothing that is compared within a run is torn
apart. Of each guideline, and of all, every part gets as many as any other, but for one; strategies are spread as far as
that allows. It depends on the cases alone: not on their order, the machine or the day.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from jmedethic_pytest.core.labels import Labelled

L = TypeVar("L", bound=Labelled)


class _Family(NamedTuple):
    """Cases that stay together, named by what decides where they go; in the order in which they are dealt."""

    guideline: str
    strategy: str
    shape: tuple[tuple[str, bool], ...]
    """Languages, and whether it is the twin."""
    draw: int
    """A number that anybody would draw for it."""
    stem: str


def families(cases: Iterable[Labelled]) -> int:
    """Return how many groups of cases stay together: no run can be divided into more parts."""
    return len({case.twin_of or case.stem for case in cases})


def assign(cases: Sequence[Labelled], count: int) -> dict[str, int]:
    """Return the part, from 0, of every case by its id.

    Args:
        cases: all that were selected.
        count: parts.
    """
    members: dict[str, list[Labelled]] = defaultdict(list)
    for case in cases:
        members[case.twin_of or case.stem].append(case)
    dealt = _deal(sorted(_family(stem, some) for stem, some in members.items()), count)
    return {case.id: dealt[stem] for stem, some in members.items() for case in some}


def _family(stem: str, cases: Sequence[Labelled]) -> _Family:
    first = min(cases, key=lambda case: (case.twin_of is not None, case.id))
    shape = tuple(sorted((case.locale, case.twin_of is not None) for case in cases))
    draw = int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8])
    return _Family(first.guideline, first.strategy, shape, draw, stem)


def _deal(families: Sequence[_Family], count: int) -> dict[str, int]:
    """Deal families out in rounds: in each every part gets one, where fewest of its kind are."""
    found: dict[str, int] = {}
    held: list[Counter[object]] = [Counter() for _ in range(count)]
    free: set[int] = set()
    for family in families:
        free = free or set(range(count))

        def rank(part: int, family: _Family = family) -> tuple[int, int, int, int]:
            has = held[part]
            turn = (part + family.draw) % count
            return has[family.guideline], has[family.strategy], has[family.shape], turn

        part = min(free, key=rank)
        free.remove(part)
        held[part].update((family.strategy, family.shape, family.guideline))
        found[family.stem] = part
    return found
