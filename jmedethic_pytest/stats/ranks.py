"""Ranks with ties, and the normal approximations that every run needs.

They are here because a run ends with them and ``scipy.stats`` takes longer to import than a small run to evaluate; the
results are those of ``scipy.stats`` (tested).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.sample import Floats


def average_ranks(values: Floats) -> Floats:
    """Return the rank of each value from 1; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=np.float64)


def row_ranks(table: Floats) -> Floats:
    """Return the ranks of the values within each row of a table of few columns."""
    one, other = table[:, :, None], table[:, None, :]
    return np.asarray((other < one).sum(axis=2) + ((other == one).sum(axis=2) + 1) / 2, dtype=np.float64)


def chi2_tail(statistic: float, degrees: int) -> float:
    """Return P(chi-square with so many degrees of freedom >= the statistic)."""
    return float(special.chdtrc(degrees, statistic))


def signed_ranks(d: Floats) -> tuple[float, float]:
    """Return the smaller signed-rank sum of differences, and its two-sided p by the normal approximation.

    Zeros are ranked and then left out of both sums (Pratt 1959); the variance is corrected for ties; no correction for
    continuity. At least one difference must not be zero.
    """
    ranks, zeros = average_ranks(np.abs(d)), int((d == 0).sum())
    smaller = min(float(ranks[d > 0].sum()), float(ranks[d < 0].sum()))
    n = len(d)
    mean = (n * (n + 1) - zeros * (zeros + 1)) / 4
    variance = (n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1) - _tie_sum(ranks[d != 0]) / 2) / 24
    return smaller, 2 * float(special.ndtr((smaller - mean) / math.sqrt(variance)))


def rank_sum(a: Floats, b: Floats) -> tuple[float, float]:
    """Return U of the first group, and its two-sided p by the normal approximation.

    The variance is corrected for ties, U for continuity. Not all values may be equal.
    """
    first, second = len(a), len(b)
    n = first + second
    ranks = average_ranks(np.concatenate((a, b)))
    u = float(ranks[:first].sum()) - first * (first + 1) / 2
    variance = first * second / 12 * (n + 1 - _tie_sum(ranks) / (n * (n - 1)))
    z = (abs(u - first * second / 2) - 0.5) / math.sqrt(variance)
    return u, min(1.0, 2 * float(special.ndtr(-z)))


def _tie_sum(ranks: Floats) -> float:
    """Return the sum of t^3 - t over groups of t equal ranks."""
    _, counts = np.unique(ranks, return_counts=True)
    times = counts.astype(np.float64)
    return float((times**3 - times).sum())
