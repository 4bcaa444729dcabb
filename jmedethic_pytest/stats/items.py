"""Items of a test: does an item order models as all the others do?"""

from __future__ import annotations

from math import atanh, sqrt, tanh
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.agreement import pearson
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.sample import Floats

LEAST_MODELS = 3
"""Models without which no correlation over models is shown."""
_LEAST_FOR_INTERVAL = 4


def rest_scores(scores: ArrayLike) -> Floats:
    """Return, for every item and model, the model's mean over all other items.

    Items that lack a score of a model are no part of anybody's mean, so that all means are over the same items.

    Args:
        scores: one row an item, one column a model; NaN where there is no score.
    """
    table: Floats = np.asarray(scores, dtype=np.float64)
    complete = ~np.asarray(np.isnan(table).any(axis=1))
    others = complete.sum() - complete[:, None]
    sums = table[complete].sum(axis=0) - np.where(complete[:, None], table, 0.0)
    found: Floats = np.divide(sums, others, out=np.full_like(table, np.nan), where=others > 0)
    return found


def item_rest(scores: ArrayLike, level: float = 0.95) -> list[Estimate]:
    """Return the corrected item-total correlation of every item: with the mean of all *other* items, over the models.

    Left in, an item would correlate with itself (Henrysson 1963). The interval is Fisher's, for four models or more:
    z = atanh(r), standard error 1/sqrt(n - 3).

    Args:
        scores: one row an item, one column a model; NaN where there is no score.
        level: coverage of the intervals.
    """
    table: Floats = np.asarray(scores, dtype=np.float64)
    return [_correlation(*pair, level) for pair in zip(table, rest_scores(table), strict=True)]


def _correlation(item: Floats, rest: Floats, level: float) -> Estimate:
    known = ~(np.isnan(item) | np.isnan(rest))
    n = int(known.sum())
    if n < LEAST_MODELS:
        return Estimate(value=None, n=n, reason=f"{n} models; at least {LEAST_MODELS} are needed")
    r = pearson(item[known], rest[known])
    if r is None:
        return Estimate(value=None, n=n, reason="every model has the same score")
    if n < _LEAST_FOR_INTERVAL:
        return Estimate(value=r, n=n, reason=f"{n} models; an interval needs {_LEAST_FOR_INTERVAL}")
    if abs(r) >= 1:
        return Estimate(value=r, n=n, reason="all models on one line: no spread to estimate an interval from")
    reach = NormalDist().inv_cdf((1 + level) / 2) / sqrt(n - 3)
    ends = tanh(atanh(r) - reach), tanh(atanh(r) + reach)
    return Estimate(value=r, low=ends[0], high=ends[1], level=level, n=n, method="Fisher z")
