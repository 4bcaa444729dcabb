"""Figures of a sample whose units stand for unlike numbers of others: a mean, and the line of two scores."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import NO_VALUES, cluster_t
from jmedethic_pytest.stats.sample import SAME, Floats, floats


class Line(NamedTuple):
    """``y = intercept + slope * x``."""

    slope: float
    intercept: float


def weighted_mean(values: ArrayLike, weights: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate the mean of a population from a weighted sample, clustered by guideline (Hajek 1971).

    The interval is that of ``cluster_t`` for ``mean + w_i (x_i - mean) n / sum(w)``, which linearises the ratio.

    Args:
        values: one figure a unit, in any unit; missing ones are left out.
        weights: how many units each one stands for; those of weight 0 are left out.
        clusters: the guideline of each unit.
        level: coverage of the interval.
    """
    x, w, groups = floats(values), floats(weights), np.asarray(clusters)
    there = ~np.isnan(x) & (w > 0)
    x, w = x[there], w[there]
    if not len(x):
        return Estimate(value=None, level=level, method="weighted mean, cluster t", reason=NO_VALUES)
    mean = float((w * x).sum() / w.sum())
    found = cluster_t(mean + w * (x - mean) * len(x) / w.sum(), groups[there], level)
    return found.model_copy(update={"value": mean, "method": "weighted mean, cluster t"})


def deming(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None, ratio: float = 1.0) -> Line | None:
    """Return the line through two scores of the same units that both err (Deming 1943).

    Least squares would take x for exact and draw a line that is too flat. ``slope = (s_yy - r s_xx + sqrt((s_yy - r
    s_xx)^2 + 4 r s_xy^2)) / (2 s_xy)``. A perfect second scorer of the first one's unit has slope 1, intercept 0.
    ``None`` with fewer than three pairs, or if the two do not vary together.

    Args:
        x: the first score of each unit (the people's); missing ones are left out.
        y: the second one (the panel's).
        weights: how many units each one stands for; equal if not given.
        ratio: r, error variance of y divided by that of x.
    """
    a, b = floats(x), floats(y)
    w = np.ones_like(a) if weights is None else floats(weights)
    both = ~(np.isnan(a) | np.isnan(b)) & (w > 0)
    a, b, w = a[both], b[both], w[both]
    if len(a) < 3:
        return None
    w = w / w.sum()
    mean_a, mean_b = float(w @ a), float(w @ b)
    s_xx, s_yy, s_xy = (_moment(w, *pair) for pair in ((a - mean_a,) * 2, (b - mean_b,) * 2, (a - mean_a, b - mean_b)))
    if abs(s_xy) <= SAME:
        return None
    slope = (s_yy - ratio * s_xx + math.sqrt((s_yy - ratio * s_xx) ** 2 + 4 * ratio * s_xy**2)) / (2 * s_xy)
    return Line(slope, mean_b - slope * mean_a)


def _moment(weights: Floats, first: Floats, second: Floats) -> float:
    return float((weights * first * second).sum())
