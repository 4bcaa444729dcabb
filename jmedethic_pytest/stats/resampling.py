"""The cluster bootstrap of any statistic: whole guidelines are drawn with replacement, with all their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.sample import Floats, Indices

METHOD = "cluster bootstrap"
ONE_CLUSTER = "all values come from one guideline: how much guidelines differ is unknown"
_MOST_WITHOUT = 0.05
"""Share of the draws that may lack a figure; with more of them the others are no picture of its spread."""


def cluster_bootstrap(
    statistic: Callable[[Indices], Sequence[float | None]],
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    """Estimate several figures of the same rows, each with the percentile interval of the cluster bootstrap.

    Source: Efron 1979; Field & Welsh 2007. With fewer than some 20 guidelines the intervals are too narrow.

    Args:
        statistic: returns the figures of some rows, given by their places, of which one may occur several times; a
            figure that cannot be had is ``None``.
        clusters: the guideline of every row.
        level: coverage of each interval.
        resamples: number of draws.
        seed: start of the random numbers; the same seed gives the same interval.
    """
    names, code = np.unique(np.asarray(clusters), return_inverse=True)
    code, n = code.reshape(-1), len(np.asarray(clusters))
    values = statistic(np.arange(n, dtype=np.intp))
    members = [np.flatnonzero(code == number) for number in range(len(names))]
    drawn = np.empty((resamples, len(values)))
    for row, counts in enumerate(draws(len(names), resamples, seed) if len(names) > 1 else ()):
        chosen = [members[number] for number in np.repeat(np.arange(len(names)), counts.astype(np.intp))]
        drawn[row] = [np.nan if value is None else value for value in statistic(np.concatenate(chosen))]
    columns = zip(values, drawn.T, strict=True)
    return tuple(from_draws(value, column, n=n, clusters=len(names), level=level) for value, column in columns)


def from_draws(value: float | None, drawn: Floats, *, n: int, clusters: int, level: float = 0.95) -> Estimate:
    """Return a figure with the percentile interval of its draws; NaN is a draw in which it could not be had."""
    known = drawn[~np.isnan(drawn)]
    without = len(drawn) - len(known)
    reason = "cannot be estimated" if value is None else ONE_CLUSTER if clusters < 2 else ""
    if not reason and without > _MOST_WITHOUT * len(drawn):
        reason = f"cannot be estimated in {without} of {len(drawn)} draws"
    if reason:
        return Estimate(value=value, level=level, n=n, clusters=clusters, method=METHOD, reason=reason)
    low, high = (float(end) for end in np.quantile(known, [(1 - level) / 2, (1 + level) / 2]))
    return Estimate(value=value, low=low, high=high, level=level, n=n, clusters=clusters, method=METHOD)


@lru_cache(maxsize=8)
def draws(clusters: int, resamples: int, seed: int) -> Floats:
    """Return how often each resample (row) holds each cluster (column); kept, since drawing takes the longest."""
    random = np.random.default_rng(seed)
    drawn = random.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(np.float64)
    drawn.flags.writeable = False
    return drawn
