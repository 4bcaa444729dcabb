"""How many cases a comparison needs, and what a given number can show.

One-sided non-inferiority of a paired mean difference (Julious 2004; design effect: Kish 1965)::

    n = deff * ((z_{1 - alpha} + z_{power}) * sd / (margin - true drop))^2,    deff = 1 + (m - 1) * icc

``margin``, ``sd`` and ``true_drop`` are in one unit: score points, or shares. ``sd`` is the standard deviation of the
paired differences, ``m`` the cases of one guideline and ``icc`` how much their differences resemble each other (0 to
1; a negative estimate counts as 0). All are assumptions until two runs have been compared.

The gate's interval is never narrower than what cases of a kind not met can do, ``unseen_share * span``. Where that is
wider than the interval above, it takes the place of ``z_{1 - alpha}`` standard errors. And because its correction for
skewness only lengthens, it is on average one part in G longer, G being the number of guidelines, even if nothing is
skewed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats  # type: ignore[import-untyped]

from jmedethic_pytest.stats.sample import SAME, sample


def sample_size(
    margin: float,
    sd: float,
    *,
    alpha: float = 0.025,
    power: float = 0.8,
    true_drop: float = 0.0,
    cluster_size: float = 1,
    icc: float = 0.0,
    clusters: int | None = None,
    span: float = 0.0,
) -> int:
    """Return the number of cases with which a candidate passes with the wanted probability.

    Args:
        margin: largest drop that is still accepted.
        sd: standard deviation of the paired differences.
        alpha: one-sided error rate.
        power: probability of ``pass`` if the truth is ``true_drop``.
        true_drop: how much worse the candidate really is; 0 if it is as good.
        cluster_size: cases of one guideline.
        icc: intra-cluster correlation of the differences.
        clusters: number of guidelines, to use Student's t with one degree of freedom less and to allow for the gate's
            correction for skewness; without it the normal approximation, which is about 5 % too small for 67.
        span: largest possible difference of one case (9 points; 1 for a share), to allow for cases of a kind not met,
            as the gate does; 0 does not.

    Raises:
        ValueError: if no number of cases is enough, because the margin does not exceed the true drop, or if an argument
            is out of its range.
    """
    _check(alpha=alpha, power=power, sd=sd)
    if margin <= true_drop:
        raise ValueError(f"the margin {margin:g} must exceed the true drop {true_drop:g}")
    quantiles = _bound(alpha, clusters) + _quantile(power, clusters)
    needed = design_effect(cluster_size, icc) * (max(quantiles, 0.0) * sd / (margin - true_drop)) ** 2
    closed = max(2, math.ceil(needed - SAME))

    def enough(n: int) -> bool:
        return margin + SAME >= detectable_margin(
            n,
            sd,
            alpha=alpha,
            power=power,
            true_drop=true_drop,
            cluster_size=cluster_size,
            icc=icc,
            clusters=clusters,
            span=span,
        )

    return _first(enough, closed) if span else closed


def detectable_margin(
    n: int,
    sd: float,
    *,
    alpha: float = 0.025,
    power: float = 0.8,
    true_drop: float = 0.0,
    cluster_size: float = 1,
    icc: float = 0.0,
    clusters: int | None = None,
    span: float = 0.0,
    different: int | None = None,
) -> float:
    """Return the smallest margin for which ``n`` cases are enough; arguments as in ``sample_size``.

    ``different`` is how many different cases there are among the ``n``; languages and repeats are no other cases.
    """
    _check(alpha=alpha, power=power, sd=sd, n=n)
    error = _standard_error(n, sd, cluster_size, icc)
    bound = max(_bound(alpha, clusters) * error, unseen_share(different or n, alpha) * span)
    return true_drop + max(bound + _quantile(power, clusters) * error, 0.0)


def achieved_power(
    n: int,
    margin: float,
    sd: float,
    *,
    alpha: float = 0.025,
    true_drop: float = 0.0,
    cluster_size: float = 1,
    icc: float = 0.0,
    clusters: int | None = None,
    span: float = 0.0,
    different: int | None = None,
) -> float:
    """Return the probability (0 to 1) that ``n`` cases let a candidate pass; arguments as in ``detectable_margin``.

    It is at most ``alpha`` if the true drop equals the margin.
    """
    _check(alpha=alpha, sd=sd, n=n)
    error = _standard_error(n, sd, cluster_size, icc)
    unseen = unseen_share(different or n, alpha) * span
    if error <= 0:
        return float(margin - true_drop > unseen)
    distance = (margin - true_drop) / error - max(_bound(alpha, clusters), unseen / error)
    return float(special.ndtr(distance) if clusters is None else special.stdtr(clusters - 1, distance))


def flip_power(n: int, new_failures: float, fixed: float, *, alpha: float = 0.05) -> float:
    """Return the probability (0 to 1) that exact one-sided McNemar is significant.

    Args:
        n: cases.
        new_failures: true share of cases that only the candidate fails.
        fixed: true share of cases that only the baseline fails.
        alpha: one-sided level. Because the test is exact and discrete, its error rate lies below it.
    """
    flipping = new_failures + fixed
    if not 0 < flipping <= 1:
        raise ValueError(f"shares that add up to more than 0 and at most 1 are needed, got {flipping:g}")
    flips = np.arange(1, n + 1)
    limit = stats.binom.isf(alpha, flips, 0.5)
    significant = stats.binom.sf(limit, flips, new_failures / flipping)
    return float((stats.binom.pmf(flips, n, flipping) * significant).sum())


def design_effect(cluster_size: float, icc: float) -> float:
    """Return by what factor clustering inflates the number of cases needed: 1 + (m - 1) icc, at least 1 (Kish 1965)."""
    return 1 + max(cluster_size - 1, 0.0) * max(icc, 0.0)


def unseen_share(n: int, alpha: float) -> float:
    """Return what share (0 to 1) a kind of case can still make up if none was among ``n``: 1 - alpha^(1/n).

    Exact one-sided binomial bound (Clopper & Pearson 1934); about 3.7 / n at 0.025.
    """
    return float(1 - alpha ** (1 / n))


def icc_oneway(values: ArrayLike, clusters: ArrayLike) -> float | None:
    """Return the intra-cluster correlation, from a one-way analysis of variance (Donner 1986; unequal sizes).

    Share of the variance that lies between guidelines: 1 at most, about 0 or below if guidelines do not matter.
    ``None`` with fewer than two guidelines, with one case in each, or if nothing varies.

    Args:
        values: one figure a case; missing ones are left out.
        clusters: the guideline of each case.
    """
    data = sample(values, clusters)
    n, k = data.n, data.clusters
    if k < 2 or n == k:
        return None
    sizes = data.sizes()
    means = data.sums() / sizes
    within = float(((data.values - means[data.cluster]) ** 2).sum()) / (n - k)
    between = float((sizes * (means - data.values.mean()) ** 2).sum()) / (k - 1)
    size = (n - float((sizes**2).sum()) / n) / (k - 1)
    spread = between + (size - 1) * within
    return (between - within) / spread if spread > SAME else None


def _standard_error(n: int, sd: float, cluster_size: float, icc: float) -> float:
    return sd * math.sqrt(design_effect(cluster_size, icc) / n)


def _first(enough: Callable[[int], bool], low: int) -> int:
    """Return the smallest number, from ``low`` up, that is enough; all above it are."""
    high = low
    while not enough(high):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _bound(alpha: float, clusters: int | None) -> float:
    """Return how many standard errors the gate's bound lies from the mean, if nothing is skewed."""
    return _quantile(1 - alpha, clusters) * (1 + 1 / clusters if clusters else 1)


def _quantile(probability: float, clusters: int | None) -> float:
    if clusters is None:
        return float(special.ndtri(probability))
    if clusters < 2:
        raise ValueError(f"at least two guidelines are needed, got {clusters}")
    return float(special.stdtrit(clusters - 1, probability))


def _check(*, alpha: float, sd: float, power: float = 0.8, n: int = 2) -> None:
    for name, probability in (("alpha", alpha), ("power", power)):
        if not 0 < probability < 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {probability:g}")
    if not (math.isfinite(sd) and sd >= 0):
        raise ValueError(f"the standard deviation must be 0 or more, got {sd:g}")
    if n < 1:
        raise ValueError(f"at least one case is needed, got {n}")
