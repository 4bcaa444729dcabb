"""Confidence intervals that know that cases of one guideline resemble each other.

All of them are two-sided; the lower end of a 95 % interval is a one-sided bound at 97.5 %. Without an interval the
estimate carries the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.resampling import METHOD, ONE_CLUSTER, draws
from jmedethic_pytest.stats.sample import SAME, Floats, Sample, constant, sample

NO_VALUES = "no values"
ALL_EQUAL = "all values are equal: their spread says nothing about the values not seen"

CANCEL = "every guideline has the same mean: nothing shows how much guidelines differ"

_CHUNK = 8_000_000
"""Numbers of one intermediate matrix of the bootstrap: 64 MB."""


def cluster_t(values: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate a mean, with an interval that is robust to dependence within clusters.

    ``SE = sqrt(sum_g (sum_{i in g} (x_i - mean))^2 / (1 - n_g / n)) / n``, and Student's t with the degrees of freedom
    of ``freedom``. With G clusters of one size that is ``sqrt(G / (G - 1) sum_g ...) / n`` and G - 1.

    Source: Bell & McCaffrey 2002 (CR2); with clusters of one size Liang & Zeger 1986 with ``cov_type="cluster"`` of
    statsmodels, without G / (G - 1) the formula of Miller 2024 (arXiv 2411.00640). Unit and direction are those of the
    values.

    Args:
        values: one figure a case; missing ones are left out.
        clusters: the guideline of each case.
        level: coverage of the interval.
    """
    data = sample(values, clusters)
    if not data.n:
        return Estimate(value=None, level=level, method="cluster t", reason=NO_VALUES)
    mean = float(data.values.mean())
    reason = _no_spread(data)
    if reason:
        return _estimate(data, mean, None, level, "cluster t", reason)
    error = standard_error(data)
    if error <= SAME:
        return _estimate(data, mean, None, level, "cluster t", CANCEL)
    half = float(special.stdtrit(freedom(data), (1 + level) / 2)) * error
    return _estimate(data, mean, (mean - half, mean + half), level, "cluster t")


def standard_error(data: Sample) -> float:
    """Return the cluster-robust standard error (CR2) of the mean of at least two clusters; 0 if nothing varies."""
    residuals = data.sums(data.values - data.values.mean())
    return math.sqrt(float((residuals**2 / (1 - data.sizes() / data.n)).sum())) / data.n


def freedom(data: Sample) -> float:
    """Return the degrees of freedom that go with ``standard_error``: G - 1 for G clusters of one size, else fewer.

    Satterthwaite's approximation for independent cases of one variance (Bell & McCaffrey 2002). One cluster that holds
    most cases is as good as two clusters.
    """
    sizes = data.sizes()
    spread = sizes**2 / (1 - sizes / data.n)
    pairs = (float(spread.sum()) ** 2 - float((spread**2).sum())) / data.n**2
    return data.n**2 / (float((sizes**2).sum()) + pairs)


def bootstrap_mean(
    values: ArrayLike, clusters: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Estimate a mean, with the percentile interval of the cluster bootstrap.

    Whole guidelines are drawn with replacement, as many as there are, with all their cases (Field & Welsh 2007;
    percentile interval: Efron 1979). With fewer than some 20 clusters it is too narrow: use ``cluster_t``.

    Args:
        values: one figure a case; missing ones are left out.
        clusters: the guideline of each case.
        level: coverage of the interval.
        resamples: number of draws; 10,000 for figures to be published.
        seed: start of the random numbers; the same seed gives the same interval.
    """
    data = sample(values, clusters)

    def statistics() -> Floats:
        weights = draws(data.clusters, resamples, seed)
        return np.asarray(weights @ data.sums() / (weights @ data.sizes()))

    return _bootstrap(data, lambda: float(data.values.mean()), statistics, level)


def bootstrap_share(
    values: ArrayLike, clusters: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Estimate a share (0 to 1) of cases for which something holds; the rest as in ``bootstrap_mean``.

    If it holds for all cases or for none, resampling shows no spread; the interval is then Wilson's, which takes the
    cases for independent.

    Args:
        values: 1 or true where it holds, 0 or false where not; missing ones are left out.
        clusters: the guideline of each case.
        level: coverage of the interval.
        resamples: number of draws.
        seed: start of the random numbers.
    """
    data = sample(values, clusters)
    if not np.isin(data.values, (0.0, 1.0)).all():
        raise ValueError("a share needs values of 0 or 1")
    if data.clusters > 1 and constant(data.values):
        found = wilson(int(data.values.sum()), data.n, level)
        return found.model_copy(update={"clusters": data.clusters})
    return bootstrap_mean(values, clusters, level=level, resamples=resamples, seed=seed)


def bootstrap_median(
    values: ArrayLike, clusters: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Estimate a median, with the percentile interval of the cluster bootstrap; see ``bootstrap_mean``.

    The median of an even number of values is the mean of the middle two. On scores of half points the interval ends on
    the grid, so that it covers at least about as often as it says, and jumps. Arguments as in ``bootstrap_mean``.
    """
    data = sample(values, clusters)

    def statistics() -> Floats:
        weights = draws(data.clusters, resamples, seed)
        return np.concatenate(list(_medians(data, weights)))

    return _bootstrap(data, lambda: float(np.median(data.values)), statistics, level)


def wilson(successes: int, n: int, level: float = 0.95, *, design_effect: float = 1.0) -> Estimate:
    """Estimate a share (0 to 1) of independent cases, with Wilson's score interval (Wilson 1927).

    It stays within 0 to 1 and is informative even if all or no cases are successes.

    Args:
        successes: cases for which it holds.
        n: all cases.
        level: coverage of the interval.
        design_effect: 1 + (m - 1) rho for clusters of m cases; the interval is that of n / design_effect cases.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    if not n:
        return Estimate(value=None, level=level, method="Wilson", reason=NO_VALUES)
    share, cases = successes / n, n / design_effect
    z2 = float(special.ndtri((1 + level) / 2)) ** 2
    centre = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = math.sqrt(z2 * share * (1 - share) / cases + z2**2 / (4 * cases**2)) / (1 + z2 / cases)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Estimate(value=share, low=low, high=high, level=level, n=n, method="Wilson")


def _bootstrap(data: Sample, value: Callable[[], float], statistics: Callable[[], Floats], level: float) -> Estimate:
    """Turn the statistic of every resample into an estimate with its percentile interval."""
    if not data.n:
        return Estimate(value=None, level=level, method=METHOD, reason=NO_VALUES)
    reason = _no_spread(data)
    if reason:
        return _estimate(data, value(), None, level, METHOD, reason)
    low, high = np.quantile(statistics(), [(1 - level) / 2, (1 + level) / 2])
    return _estimate(data, value(), (float(low), float(high)), level, METHOD)


def _estimate(
    data: Sample, value: float, ends: tuple[float, float] | None, level: float, method: str, reason: str = ""
) -> Estimate:
    low, high = ends or (None, None)
    return Estimate(
        value=value, low=low, high=high, level=level, n=data.n, clusters=data.clusters, method=method, reason=reason
    )


def _no_spread(data: Sample) -> str:
    """Return why these values have no interval, or nothing."""
    if data.clusters < 2:
        return ONE_CLUSTER
    return ALL_EQUAL if constant(data.values) else ""


def _medians(data: Sample, weights: Floats) -> Iterator[Floats]:
    """Yield the medians of the resamples, block by block, from how often each distinct value occurs in each cluster."""
    distinct, number = np.unique(data.values, return_inverse=True)
    counts = np.zeros((data.clusters, len(distinct)))
    np.add.at(counts, (data.cluster, number.reshape(-1)), 1.0)
    up_to = np.cumsum(counts, axis=1)
    block = max(1, _CHUNK // len(distinct))
    for start in range(0, len(weights), block):
        below = weights[start : start + block] @ up_to
        n = below[:, -1:]
        lower, upper = ((below <= rank).sum(axis=1) for rank in ((n - 1) // 2, n // 2))
        yield (distinct[lower] + distinct[upper]) / 2
