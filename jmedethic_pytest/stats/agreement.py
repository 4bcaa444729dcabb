"""How far judges agree on the same turns: the judges as instruments.

A matrix holds one row a turn (or a model) and one column a judge. What cannot be estimated is ``None``.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.sample import SAME, Floats, floats


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
LEAST_TELLING = 10
"""Turns that show whether a judge tells replies apart."""
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


def orders(first: ArrayLike, second: ArrayLike, low: float) -> bool | None:
    """Return whether the second judge scores the turns that the first one finds low at least a point below the others.

    Unlike a correlation it can be told of scores that hardly vary, as soon as the first judge finds ten turns low. A
    score that the second judge did not give counts as the highest. ``None`` with fewer than ten turns or no others.

    Args:
        first: scores of the judge that finds turns low.
        second: scores of the same turns by the other judge.
        low: highest score that is low.
    """
    x, y = floats(first), floats(second)
    found, others = x <= low + SAME, (x > low + SAME) & ~np.isnan(y)
    if found.sum() < LEAST_TELLING or not others.any():
        return None
    return bool(np.nan_to_num(y[found], nan=10.0).mean() <= y[others].mean() - 1 + SAME)


def pearson(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Pearson's r, -1 to 1, of the pairs without a missing score.

    ``None`` for fewer than three pairs, or if a judge's scores do not vary.
    """
    return _pearson(*_pairs(x, y))


def spearman(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Spearman's rank correlation, -1 to 1, with mean ranks of ties; ``None`` as for ``pearson``."""
    a, b = _pairs(x, y)
    return _pearson(_ranks(a), _ranks(b))


def icc(matrix: ArrayLike, weights: ArrayLike | None = None) -> tuple[float | None, float | None]:
    """Return ICC(2,1) and ICC(2,k): how far one judge, and the mean of all k, can be relied on.

    Two-way random effects, absolute agreement (Shrout & Fleiss 1979; "A,1" and "A,k" of McGraw & Wong 1996):
    ``(MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n)`` and ``(MSR - MSE) / (MSR + (MSC - MSE) / n)``. At most 1;
    below 0.5 poor, from 0.75 good, from 0.9 excellent (Koo & Li 2016). ``None`` for fewer than two complete rows or two
    judges, or if nothing varies.

    Args:
        matrix: rows of one turn, columns of one judge.
        weights: how many turns each row stands for; equal if not given.
    """
    table = _table(matrix)
    complete = np.asarray(~np.isnan(table).any(axis=1))
    table, w = table[complete], _weights(weights, complete)
    n, k = table.shape
    if n < 2 or k < 2:
        return None, None
    columns = w @ table / n
    mean = columns.mean()
    rows, columns = table.mean(axis=1) - mean, columns - mean
    rest = table - mean - rows[:, None] - columns
    msr, msc = k * float(w @ rows**2) / (n - 1), n * float((columns**2).sum()) / (k - 1)
    mse = float(w @ (rest**2).sum(axis=1)) / ((n - 1) * (k - 1))
    single = _ratio(msr - mse, msr + (k - 1) * mse + k * (msc - mse) / n)
    return single, _ratio(msr - mse, msr + (msc - mse) / n)


def quadratic_kappa(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Return the quadratic weighted kappa of two judges, -1 to 1 (Cohen 1968), in its closed form.

    ``1 - mean((x - y)^2) / (var_x + var_y + (mean_x - mean_y)^2)`` with population variances. It needs no rounding for
    half points and equals Lin's concordance (1989). ``None`` without pairs, or if both judges always gave the same
    single score.

    Args:
        x: the first judge's scores; pairs with a missing score are left out.
        y: the second judge's.
        weights: how many turns each pair stands for; equal if not given.
    """
    first, second = floats(x), floats(y)
    both = ~(np.isnan(first) | np.isnan(second))
    a, b, w = first[both], second[both], _weights(weights, both)
    if not len(a):
        return None
    (mean_a, var_a), (mean_b, var_b) = _moments(a, w), _moments(b, w)
    disagreement = _ratio(float(np.average((a - b) ** 2, weights=w)), var_a + var_b + (mean_a - mean_b) ** 2)
    return None if disagreement is None else 1 - disagreement


def krippendorff(
    matrix: ArrayLike, metric: Literal["ordinal", "interval"] = "ordinal", weights: ArrayLike | None = None
) -> float | None:
    """Return Krippendorff's alpha (2011): 1 is perfect agreement, 0 that of chance; missing scores are allowed.

    Usable from 0.8, for tentative conclusions from 0.667 (Krippendorff 2004). ``None`` if no row has two scores, or all
    scores are the same.

    Args:
        matrix: rows of one turn, columns of one judge; rows with fewer than two scores are left out.
        metric: distance of two scores: "interval" their square difference, "ordinal" that of their ranks.
        weights: how many turns each row stands for; equal if not given.
    """
    table = _table(matrix)
    there = ~np.isnan(table)
    several = there.sum(axis=1) > 1
    table, there, w = table[several], there[several], _weights(weights, several)
    if not len(table):
        return None
    scores, flat = np.unique(table[there], return_inverse=True)
    code = np.zeros(table.shape, dtype=np.intp)
    code[there] = flat.reshape(-1)
    observed = _coincidences(code, there, w, len(scores))
    totals = observed.sum(axis=1)
    scale = scores if metric == "interval" else np.cumsum(totals) - totals / 2
    distance = (scale[:, None] - scale) ** 2
    expected = float((np.outer(totals, totals) * distance).sum()) / (totals.sum() - 1)
    disagreement = _ratio(float((observed * distance).sum()), expected)
    return None if disagreement is None else 1 - disagreement


def spearman_brown(r: float | None, k: float) -> float | None:
    """Return the reliability of the mean of k judges from that of one: k r / (1 + (k - 1) r).

    Source: Spearman 1910, Brown 1910. ``None`` without ``r``, or if the formula has no meaning (r at or below
    -1 / (k - 1)).
    """
    if r is None or 1 + (k - 1) * r <= SAME:
        return None
    return k * r / (1 + (k - 1) * r)


def standard_error_of_measurement(sd: float | None, reliability: float | None) -> float | None:
    """Return how far a score lies from what many judges would give, in score points: sd sqrt(1 - reliability).

    One standard deviation of the error of measurement (Lord & Novick 1968). ``None`` if either is unknown or the
    reliability is not between 0 and 1.
    """
    if sd is None or reliability is None or not 0 <= reliability <= 1:
        return None
    return sd * math.sqrt(1 - reliability)


def _pairs(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    a, b = floats(x), floats(y)
    both = ~(np.isnan(a) | np.isnan(b))
    return a[both], b[both]


def _weights(given: ArrayLike | None, chosen: NDArray[np.bool_]) -> Floats:
    """Return the weights of the chosen rows, one on average."""
    if given is None or not chosen.any():
        return np.ones(int(chosen.sum()))
    weights = floats(given)[chosen]
    return np.asarray(weights / weights.mean())


def _moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Return mean and population variance."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.average((values - mean) ** 2, weights=weights))


def _ranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)])


def _table(matrix: ArrayLike) -> Floats:
    table = np.asarray(matrix, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"a table of turns x judges is needed, got {table.ndim} dimensions")
    return table


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > SAME else None


def _coincidences(code: NDArray[np.intp], there: NDArray[np.bool_], rows: Floats, scores: int) -> Floats:
    """Count pairs of scores of the same row, each row weighted so that every score counts once."""
    weight = rows / (there.sum(axis=1) - 1)
    counts = np.zeros(scores * scores)
    for first in range(code.shape[1]):
        for second in range(code.shape[1]):
            both = there[:, first] & there[:, second]
            if first != second:
                cell = code[both, first] * scores + code[both, second]
                counts += np.bincount(cell, weights=weight[both], minlength=len(counts))
    return counts.reshape(scores, scores)


def _pearson(x: NDArray[Any], y: NDArray[Any]) -> float | None:
    """Return Pearson's r, ``None`` for fewer than three pairs or a judge whose scores do not vary."""
    spread = math.sqrt(float(x.var()) * float(y.var())) if len(x) >= _LEAST_PAIRS else 0.0
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 1e-12 else None
