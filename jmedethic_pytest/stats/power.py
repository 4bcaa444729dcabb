"""How many cases a comparison needs, and what a given number can show.

One-sided non-inferiority of a paired mean difference (Julious 2004; design effect: Kish 1965)::

    n = deff * ((z_{1 - alpha} + z_{power}) * sd / (margin - true drop))^2,    deff = 1 + (m - 1) * icc

``margin``, ``sd`` and ``true_drop`` are in one unit: score points, or shares. ``sd`` is the standard deviation of the
paired differences, ``m`` the cases of one guideline and ``icc`` how much their differences resemble each other (0 to
1; a negative estimate counts as 0). All are assumptions until two runs have been compared.

The gate's interval is never narrower than what cases and guidelines of a kind not met can do (``unseen_bound``). Where
that is wider than the interval above, it takes the place of ``z_{1 - alpha}`` standard errors. And because its
correction for skewness only lengthens, it is on average one part in G longer, G being the number of guidelines, even
if nothing is skewed.
"""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.sample import SAME, sample

_GUIDELINE = 1 / 3
"""Part of the scale by which the mean of a guideline of a kind not met may fall."""


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
    """Return the smallest margin for which ``n`` cases are enough.

    Args:
        n: evaluations.
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
        different: how many different cases there are among the ``n``; languages and repeats are no other cases.

    Raises:
        ValueError: if an argument is out of its range.
    """
    _check(alpha=alpha, power=power, sd=sd, n=n)
    error = _standard_error(n, sd, cluster_size, icc)
    bound = max(_bound(alpha, clusters) * error, unseen_bound(different or n, clusters, span, alpha))
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
    unseen = unseen_bound(different or n, clusters, span, alpha)
    if error <= 0:
        return float(margin - true_drop > unseen)
    distance = (margin - true_drop) / error - max(_bound(alpha, clusters), unseen / error)
    return float(special.ndtr(distance) if clusters is None else special.stdtr(clusters - 1, distance))


def design_effect(cluster_size: float, icc: float) -> float:
    """Return by what factor clustering inflates the number of cases needed: 1 + (m - 1) icc, at least 1 (Kish 1965)."""
    return 1 + max(cluster_size - 1, 0.0) * max(icc, 0.0)


def unseen_share(n: int, alpha: float) -> float:
    """Return what share (0 to 1) a kind of case can still make up if none was among ``n``: 1 - alpha^(1/n).

    Exact one-sided binomial bound (Clopper & Pearson 1934); about 3.7 / n at 0.025.
    """
    return float(1 - alpha ** (1 / n))


def unseen_bound(n: int, clusters: int | None, span: float, alpha: float) -> float:
    """Return by how much kinds of cases and of guidelines that were not met can lower a mean, in its own unit.

    Args:
        n: different cases.
        clusters: guidelines they come from; ``None`` if each is one of its own.
        span: what a case can fall by; a guideline of a kind not met, by a third of it.
        alpha: one-sided error rate.
    """
    guidelines = unseen_share(clusters, alpha) * span * _GUIDELINE if clusters else 0.0
    return max(unseen_share(n, alpha) * span, guidelines)


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
