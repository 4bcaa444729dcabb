"""Adjusted p-values for tests that are read together.

A test without a p-value (``None``) stays without and does not count as one of the tests. Adjusted values lie in 0 to 1,
are never below the p-value and compare with the level that holds for all tests together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jmedethic_pytest.stats.sample import Floats

P = float | None


def bonferroni(ps: Sequence[P]) -> list[P]:
    """Multiply by the number of tests: bounds the chance of any false alarm (Bonferroni 1936; the paper's choice)."""
    return _adjust(ps, lambda ordered: ordered * len(ordered))


def holm(ps: Sequence[P]) -> list[P]:
    """Step down: the smallest times m, the next times m - 1, ... (Holm 1979).

    Bounds the chance of any false alarm as Bonferroni does, under any dependence, and is never less powerful.
    """
    return _adjust(ps, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def benjamini_hochberg(ps: Sequence[P]) -> list[P]:
    """Step up: the k-th smallest times m / k, from the largest down (Benjamini & Hochberg 1995).

    Bounds the expected share of false alarms among all alarms, for tests that are independent or positively dependent.
    """

    def step_up(ordered: Floats) -> Floats:
        scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return np.asarray(np.minimum.accumulate(scaled[::-1])[::-1])

    return _adjust(ps, step_up)


def _adjust(ps: Sequence[P], rule: Callable[[Floats], Floats]) -> list[P]:
    """Apply a rule to the p-values that exist, in ascending order, and put them back in their places."""
    there = [index for index, p in enumerate(ps) if p is not None]
    values = np.array([ps[index] for index in there], dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1, got {values.tolist()}")
    order = np.argsort(values, kind="stable")
    adjusted: list[P] = [None] * len(ps)
    for position, value in zip(order, np.minimum(rule(values[order]), 1.0), strict=True):
        adjusted[there[position]] = float(value)
    return adjusted
