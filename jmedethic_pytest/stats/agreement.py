"""How far two judges agree on the same turns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.records import Record


class Agreement(Record):
    """Agreement of the first two judges over the turns both scored. ``None`` where it cannot be estimated."""

    n: int
    pearson: float | None
    within_2: float | None
    """Share of turns on which the judges lie at most 2 points apart."""
    mean_difference: float | None
    """First judge minus second judge."""
    mean_absolute_difference: float | None


_LEAST_PAIRS = 3
_NO_SPREAD = 1e-9


def agreement(first: NDArray[Any], second: NDArray[Any]) -> Agreement:
    """Compare two judges' scores of the same turns; pairs with a missing score are left out."""
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if not len(x):
        return Agreement(n=0, pearson=None, within_2=None, mean_difference=None, mean_absolute_difference=None)
    difference = x - y
    return Agreement(
        n=len(x),
        pearson=_pearson(x, y),
        within_2=float((np.abs(difference) <= 2 + 1e-9).mean()),
        mean_difference=float(difference.mean()),
        mean_absolute_difference=float(np.abs(difference).mean()),
    )


def worst_pearson(first: NDArray[Any], second: NDArray[Any]) -> float | None:
    """Return the lowest Pearson's r that the pairs lacking a score could lead to.

    They count as (1, 10) or (10, 1), in the mixture that lowers r most, so that losing scores never makes judges look
    reliable.
    """
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    both = ~(np.isnan(x) | np.isnan(y))
    missing = int((~both).sum())
    x, y = x[both], y[both]
    if not missing:
        return _pearson(x, y)
    low = np.arange(missing + 1)  # how many of the missing pairs are (1, 10)
    n, sum_x, sum_y = len(x) + missing, x.sum() + low + 10 * (missing - low), y.sum() + 10 * low + (missing - low)
    squares_x = (x**2).sum() + low + 100 * (missing - low)
    squares_y = (y**2).sum() + 100 * low + (missing - low)
    products = (x * y).sum() + 10 * missing
    spread = (n * squares_x - sum_x**2) * (n * squares_y - sum_y**2)
    known = spread > _NO_SPREAD
    if n < _LEAST_PAIRS or not known.any():
        return None
    return float(((n * products - sum_x * sum_y)[known] / np.sqrt(spread[known])).min())


def _pearson(x: NDArray[Any], y: NDArray[Any]) -> float | None:
    """Return Pearson's r, ``None`` for fewer than three pairs or a judge whose scores do not vary."""
    spread = math.sqrt(float(x.var()) * float(y.var())) if len(x) >= _LEAST_PAIRS else 0.0
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 1e-12 else None
