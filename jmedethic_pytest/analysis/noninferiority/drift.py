"""Whether one of the judges has moved since the baseline: both scored both runs, so they must have changed alike.

It is a difference in differences: how much a judge's scores changed, against how much those of another did. Two judges
that grow more lenient together stay unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from jmedethic_pytest.analysis.noninferiority.pairs import Pairs
from jmedethic_pytest.analysis.noninferiority.records import Doubt
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.sample import Floats, Indices

MOST = 0.2
"""Points by which judges may move apart: the panel's mean by a tenth, a third of the shipped margin of the mean."""
_ALPHA = 0.005
"""Chance, on either side, to doubt a panel that moved apart by no more."""
_ALIKE = 1.0
"""Turns whose panel score changed by more are left out: judges may differ in how far a worse reply falls."""


def drift(alone: Mapping[str, Pairs]) -> Iterator[Doubt]:
    """Doubt a comparison in which two judges moved apart for certain.

    Args:
        alone: the pairs by each judge's scores alone, in the order of the panel.
    """
    for first, second in combinations(alone, 2):
        change, guideline = _apart(alone[first], alone[second])
        found = cluster_t(change, guideline, 1 - 2 * _ALPHA)
        if found.value is None or found.clusters < 2:
            continue
        low, high = (found.value if end is None else end for end in (found.low, found.high))  # all moved alike
        if low > MOST or high < -MOST:
            bounds = f"{found.value:+.2f} [{low:+.2f}, {high:+.2f}]"
            detail = f"since the baseline {first} has moved by {bounds} points against {second} on turns that changed"
            detail += " little: one of them judges otherwise than it did. Record the baseline anew with today's judges"
            yield Doubt(name=f"judges[{first}, {second}]", detail=detail, cause="could not be measured")


def _apart(one: Pairs, other: Pairs) -> tuple[Floats, Indices]:
    """Return by how much the first judge's score changed more than the second's, and each turn's guideline."""
    turns = [(one.turn(index), other.turn(index)) for index in range(one.length)]
    change = np.concatenate([[here.difference, there.difference] for here, there in turns], axis=1)
    guideline = np.concatenate([here.guideline for here, _ in turns])
    alike = np.abs(change.mean(axis=0)) <= _ALIKE  # false where a score is missing
    return change[0, alike] - change[1, alike], guideline[alike]
