"""How far out a mean lies, where a normal distribution is no guide: rare falls among many values that hardly differ."""

from __future__ import annotations

import math

import numpy as np

from jmedethic_pytest.stats.sample import SAME, Floats

_STEPS = 60


def most_likely_below(pool: Floats, n: int, mean: float) -> float:
    """Return the most that the chance can be (0 to 1) that the mean of ``n`` draws from a pool is ``mean`` or less.

    Chernoff's bound (1952) with the pool's own moment generating function: ``min_s exp(n (K(s) - s mean))``. It holds
    for any distribution, and is some times the chance itself: the price for being sure far out in the tail.

    Args:
        pool: values that are equally likely to be drawn, with replacement.
        n: how many are drawn.
        mean: in the unit of the values.
    """
    lowest = float(pool.min())
    if mean < lowest - SAME:
        return 0.0
    if mean <= lowest + SAME:
        return float((pool <= lowest + SAME).mean()) ** n
    if mean >= float(pool.mean()) - SAME:
        return 1.0
    tilt = _tilt(pool, mean)
    return min(1.0, math.exp(n * (_moments(pool, tilt)[0] - tilt * mean)))


def _tilt(pool: Floats, mean: float) -> float:
    """Return the tilt, below 0, under which the pool has this mean."""
    low, high = -1.0, 0.0
    while _moments(pool, low)[1] > mean:
        low, high = 2 * low, low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _moments(pool, middle)[1] <= mean else (low, middle)
    return low


def _moments(pool: Floats, tilt: float) -> tuple[float, float]:
    """Return the cumulant generating function of a pool, and its derivative: the mean under a tilt."""
    lowest = float(pool.min())
    weights = np.exp(tilt * (pool - lowest))
    total = float(weights.sum())
    return math.log(total / len(pool)) + tilt * lowest, float((weights * pool).sum()) / total
