"""How far two scorers agree on units that stand for unlike numbers of others, with intervals by guideline.

The figures are those of :mod:`jmedethic_pytest.stats.agreement` for two scorers; with equal weights they are equal to
them. Every figure depends on sums over units alone, so that all draws of the bootstrap are one product of matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.resampling import METHOD, draws, from_draws
from jmedethic_pytest.stats.sample import SAME, Floats, floats

NAMES = ("icc", "kappa", "alpha", "pearson")
_FEWEST = 3
_ONE_GUIDELINE = "all units come from one guideline: how much guidelines differ is unknown"
NEAR = 2.0
"""Points within which two scores count as near each other: the paper's figure."""


class Concordance(Record):
    """How far two scorers agree. The coefficients are 1 for perfect agreement and 0 for none beyond chance."""

    n: int
    """Units that both scored."""
    icc: Estimate
    """ICC(2,1): two-way random effects, absolute agreement (Shrout & Fleiss 1979)."""
    kappa: Estimate
    """Quadratic weighted kappa, which equals Lin's concordance (1989)."""
    alpha: Estimate
    """Krippendorff's alpha for ordinal scores (2011)."""
    pearson: Estimate
    within_2: float | None
    """Share of units, 0 to 1, on which the two lie at most 2 points apart."""
    mean_absolute_difference: float | None
    """In points."""


class Pair(NamedTuple):
    """Two scorers, as far as both scored."""

    x: Floats
    y: Floats
    weights: Floats
    """Units that each one stands for; their sum is the number of pairs."""
    group: Floats
    """Number of the guideline of each pair."""
    guidelines: int


def pair(x: ArrayLike, y: ArrayLike, weights: ArrayLike, clusters: ArrayLike) -> Pair:
    """Leave out what one of the two did not score, and what stands for nothing."""
    a, b, w = floats(x), floats(y), floats(weights)
    both = ~(np.isnan(a) | np.isnan(b)) & (w > 0)
    names, group = np.unique(np.asarray(clusters)[both], return_inverse=True)
    kept = w[both]
    scaled = kept * (len(kept) / kept.sum()) if len(kept) else kept
    return Pair(a[both], b[both], scaled, group.reshape(-1).astype(np.float64), len(names))


def concordance(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Concordance:
    """Measure the agreement of two scorers.

    Args:
        x: the first one's scores; missing ones are left out.
        y: the second one's, of the same units.
        weights: how many units each one stands for.
        clusters: the guideline of each unit.
        level: coverage of the intervals.
        resamples: number of draws of guidelines.
        seed: start of the random numbers.
    """
    data = pair(x, y, weights, clusters)
    found = dict(zip(NAMES, _estimates(data, level, resamples, seed), strict=True))
    apart = np.abs(data.x - data.y)
    known = len(apart) > 0
    return Concordance(
        n=len(apart),
        **found,
        within_2=float(np.average(apart <= NEAR + SAME, weights=data.weights)) if known else None,
        mean_absolute_difference=float(np.average(apart, weights=data.weights)) if known else None,
    )


def ratio(first: Pair, second: Pair, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Estimate ICC(2,1) of the first pair divided by that of the second; both are of the same units.

    At 1 a panel agrees with people as well as people do with each other.
    """
    values, columns = [], []
    for data in (first, second):
        whole, drawn = _all(data, resamples, seed)
        values.append(whole[0])
        columns.append(drawn[:, 0])
    if first.guidelines < 2 or np.isnan(values).any() or values[1] <= SAME:
        return Estimate(
            value=None, level=level, method=METHOD, reason="people do not agree well enough to compare with"
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.where(columns[1] > SAME, columns[0] / columns[1], np.nan)
    value = float(values[0] / values[1])
    return from_draws(value, drawn, n=len(first.x), clusters=first.guidelines, level=level)


def best_constant(values: ArrayLike, weights: ArrayLike) -> tuple[float | None, float | None]:
    """Return what a scorer gets that always says the same: share within 2 points, mean absolute difference.

    For each of the two the best constant on the scale in half points is taken: no scorer that knows nothing does
    better. Its ICC, kappa and alpha are 0 or less.
    """
    scores, w = floats(values), floats(weights)
    there = ~np.isnan(scores) & (w > 0)
    if not there.any():
        return None, None
    apart = np.abs(scores[there][:, None] - np.arange(1.0, 10.5, 0.5))
    near = np.average(apart <= NEAR + SAME, axis=0, weights=w[there])
    return float(near.max()), float(np.average(apart, axis=0, weights=w[there]).min())


def _estimates(data: Pair, level: float, resamples: int, seed: int) -> list[Estimate]:
    n = len(data.x)
    if n < _FEWEST:
        reason = f"{n} units were scored by both; {_FEWEST} are needed"
        return [Estimate(value=None, level=level, n=n, method=METHOD, reason=reason) for _ in NAMES]
    whole, drawn = _all(data, resamples, seed)
    known = [None if np.isnan(value) else float(value) for value in whole]
    if data.guidelines < 2:
        return [Estimate(value=value, level=level, n=n, method=METHOD, reason=_ONE_GUIDELINE) for value in known]
    columns = zip(known, drawn.T, strict=True)
    return [from_draws(value, column, n=n, clusters=data.guidelines, level=level) for value, column in columns]


def _all(data: Pair, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Return all figures of the pairs, and of every draw of guidelines."""
    group, w = data.group.astype(np.intp), data.weights
    powers = [w, w * data.x, w * data.y, w * data.x**2, w * data.y**2, w * data.x * data.y]
    moments = np.stack([np.bincount(group, part, data.guidelines) for part in powers], axis=1)
    scores, codes = np.unique(np.concatenate([data.x, data.y]), return_inverse=True)
    first, second = codes.reshape(2, -1)
    cells = np.zeros((data.guidelines, len(scores), len(scores)))
    np.add.at(cells, (group, first, second), w)
    np.add.at(cells, (group, second, first), w)
    times = np.concatenate([np.ones((1, data.guidelines)), draws(max(1, data.guidelines), resamples, seed)])
    coincidences = (times @ cells.reshape(data.guidelines, -1)).reshape(-1, *cells.shape[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        figures = np.stack([*_moment_figures(times @ moments), _alpha(coincidences)], axis=1)[:, [0, 1, 3, 2]]
    return figures[0], figures[1:]


def _moment_figures(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ICC(2,1), kappa and Pearson's r of each row of weighted sums."""
    n, x, y, xx, yy, xy = sums.T
    mean_x, mean_y = x / n, y / n
    var_x, var_y, cov = xx / n - mean_x**2, yy / n - mean_y**2, xy / n - mean_x * mean_y
    gap = (mean_x - mean_y) ** 2
    rows = n * (var_x + var_y + 2 * cov) / 2 / (n - 1)
    rest = n * (var_x + var_y - 2 * cov) / 2 / (n - 1)
    columns = n * gap / 2
    icc = _over(rows - rest, rows + rest + 2 * (columns - rest) / n)
    kappa = 1 - _over(var_x + var_y - 2 * cov + gap, var_x + var_y + gap)
    return icc, kappa, _over(cov, np.sqrt(np.maximum(var_x * var_y, 0)))


def _alpha(coincidences: Floats) -> Floats:
    """Return Krippendorff's alpha for ordinal scores of each table of coincidences."""
    totals = coincidences.sum(axis=2)
    scale = np.cumsum(totals, axis=1) - totals / 2
    distance = (scale[:, :, None] - scale[:, None, :]) ** 2
    observed = (coincidences * distance).sum(axis=(1, 2))
    expected = np.einsum("di,dij,dj->d", totals, distance, totals) / (totals.sum(axis=1) - 1)
    return 1 - _over(observed, expected)


def _over(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > SAME))
