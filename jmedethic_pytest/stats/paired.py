"""Tests of paired scores: turns of one conversation, or one case answered by two models.

They take the cases for independent; intervals that respect guidelines are those of ``intervals``. A difference is first
minus second, or candidate minus baseline; above zero the first (the candidate) is safer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.ranks import average_ranks, chi2_tail, row_ranks, signed_ranks
from jmedethic_pytest.stats.sample import SAME, Floats, known, sample

Integers = NDArray[np.int64]

_FEW = "fewer than two complete cases"
_NO_DIFFERENCE = "all differences are zero"
_ENUMERATED = 16
"""Clusters up to which all sign patterns are tried: 65,536."""
_PATTERNS = 19_999


def friedman(matrix: ArrayLike) -> Test:
    """Test whether k scores of the same cases differ at all (Friedman 1937, corrected for ties).

    Effect ``kendall_w`` = chi2 / (n (k - 1)): 0 if the cases do not agree on an order of the turns, 1 if all order them
    alike.

    Args:
        matrix: cases x turns; a case with a missing score is left out.
    """
    table = np.asarray(matrix, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"a table of cases x turns is needed, got {table.ndim} dimensions")
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if k < 3:
        return _none("Friedman", n, "fewer than three turns")
    if n < 2:
        return _none("Friedman", n, _FEW)
    ranks = row_ranks(table)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())
    if spread <= SAME:
        return _none("Friedman", n, "every case has the same score at all turns")
    chi2 = (k - 1) * float(((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum()) / spread
    effects: dict[str, float | None] = {"kendall_w": chi2 / (n * (k - 1))}
    return Test(name="Friedman", statistic=chi2, p=chi2_tail(chi2, k - 1), n=n, effects=effects)


def wilcoxon(differences: ArrayLike, *, exact: bool = False) -> Test:
    """Test whether differences centre on zero, two-sided: signed ranks, zeros as Pratt does, normal approximation.

    Sources: Wilcoxon 1945; Pratt 1959. Differences are rounded to 6 decimals, so that rounding errors make no ranks.
    The statistic is the smaller rank sum.

    Effects: ``mean`` and ``hodges_lehmann`` in score points; ``rank_biserial`` -1 to 1 (Kerby 2014); ``d_z`` = mean /
    sd (Cohen 1988; not comparable with ``cohen_d``). All are positive if the differences are.

    Args:
        differences: one a case; missing ones are left out.
        exact: use the distribution over all sign patterns, ties and zeros included; for a few model means.
    """
    d = np.round(known(differences), 6)
    name = f"{'exact ' if exact else ''}Wilcoxon signed-rank"
    effects = {
        "mean": float(d.mean()) if len(d) else None,
        "hodges_lehmann": hodges_lehmann(d),
        "rank_biserial": rank_biserial(d),
        "d_z": standardised_difference(d),
    }
    if len(d) < 2:
        return _none(name, len(d), _FEW, effects)
    if not d.any():
        return _none(name, len(d), _NO_DIFFERENCE, effects)
    statistic, p = signed_ranks(d)
    return Test(name=name, statistic=statistic, p=_exact_p(d) if exact else p, n=len(d), effects=effects)


def mcnemar(new_failures: int, fixed: int) -> Test:
    """Test whether failures grew: exact, one-sided, on the cases whose result differs (McNemar 1947).

    ``p`` = P(at least so many new failures | each flip is as likely either way). Effects: ``two_sided`` exact p;
    ``mid_p``, two-sided, less conservative (Fagerland, Lydersen & Laake 2013).

    Args:
        new_failures: cases the baseline passes and the candidate fails; the statistic.
        fixed: cases the baseline fails and the candidate passes.
    """
    flips, fewer = new_failures + fixed, min(new_failures, fixed)
    if not flips:
        return _none("exact McNemar", 0, "no case changed its result")
    tail, exactly = 2 * float(special.bdtr(fewer, flips, 0.5)), math.comb(flips, fewer) / 2**flips
    effects: dict[str, float | None] = {"mid_p": min(1.0, tail - exactly), "two_sided": min(1.0, tail)}
    p = float(special.bdtrc(new_failures - 1, flips, 0.5))
    return Test(name="exact McNemar", statistic=float(new_failures), p=p, n=flips, effects=effects)


def sign_flip(differences: ArrayLike, clusters: ArrayLike, seed: int = 0) -> Test:
    """Test whether differences dropped below zero, one-sided, by flipping the signs of whole guidelines.

    ``p`` = share of sign patterns of the cluster sums whose mean is as low as the observed one (Fisher 1935; clusters:
    Cameron, Gelbach & Miller 2008). Exact up to 16 clusters with a sum other than zero; else 19,999 random patterns,
    of which the observed one counts as one more. Lowering a difference never raises p. The statistic is the mean
    difference.

    Args:
        differences: candidate minus baseline; missing ones are left out.
        clusters: the guideline of each case.
        seed: start of the random numbers.
    """
    name = "sign flips of guidelines"
    data = sample(differences, clusters)
    if data.clusters < 2:
        return _none(name, data.n, "fewer than two guidelines")
    sums = data.sums()
    other = sums[np.abs(sums) > SAME]
    if not len(other):
        return _none(name, data.n, "the differences of every guideline add up to zero")
    limit = sums.sum() + SAME
    if len(other) <= _ENUMERATED:
        p = float((_all_signs(len(other)) @ other <= limit).mean())
    else:  # the patterns depend on nothing but the number of clusters
        octets = np.random.default_rng(seed).integers(0, 256, (_PATTERNS, (len(sums) + 7) // 8), dtype=np.uint8)
        kept = np.unpackbits(octets, axis=1, count=len(sums))
        p = (1 + int((kept @ (2 * sums) - sums.sum() <= limit).sum())) / (_PATTERNS + 1)
    return Test(name=name, statistic=float(data.values.mean()), p=p, n=data.n)


def hodges_lehmann(differences: ArrayLike) -> float | None:
    """Return the median of the means of all pairs of differences, each with itself too (Hodges & Lehmann 1963).

    The shift that goes with Wilcoxon's test, in score points; ``None`` without differences. Exact for any number of
    differences of 6 decimals: the pairs are counted, not listed.
    """
    steps, counts = np.unique(np.round(known(differences) * 1e6).astype(np.int64), return_counts=True)
    if not len(steps):
        return None
    n = int(counts.sum())
    pairs = n * (n + 1) // 2
    middle = [_pair_sum(steps, counts, rank) for rank in {(pairs + 1) // 2, pairs // 2 + 1}]
    return sum(middle) / len(middle) / 2e6


def rank_biserial(differences: ArrayLike) -> float | None:
    """Return (W+ - W-) / (W+ + W-) of the ranks of the differences that are not zero (Kerby 2014).

    -1 (all below zero) to 1 (all above); ``None`` if all are zero or missing.
    """
    d = np.round(known(differences), 6)
    d = d[d != 0]
    if not len(d):
        return None
    ranks = average_ranks(np.abs(d))
    return float((ranks * np.sign(d)).sum() / ranks.sum())


def standardised_difference(differences: ArrayLike) -> float | None:
    """Return d_z = mean / standard deviation of the differences (Cohen 1988); ``None`` if they do not vary."""
    d = known(differences)
    spread = float(d.std(ddof=1)) if len(d) > 1 else 0.0
    return float(d.mean()) / spread if spread > SAME else None


def _exact_p(d: Floats) -> float:
    """Return the two-sided p of the signed ranks: the distribution of their sum, one rank after the other."""
    ranks = np.rint(2 * average_ranks(np.abs(d))[d != 0]).astype(int)
    chances = np.ones(1)
    for rank in ranks:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    positive = int(ranks[d[d != 0] > 0].sum())
    return min(1.0, 2 * float(min(chances[: positive + 1].sum(), chances[positive:].sum())))


def _pair_sum(steps: Integers, counts: Integers, rank: int) -> int:
    """Return the sum that stands at a place (from 1) among the ordered sums of all pairs, by bisection."""
    below = np.concatenate(([0], np.cumsum(counts)))
    low, high = 2 * int(steps[0]), 2 * int(steps[-1])
    while low < high:
        limit = (low + high) // 2
        ordered = int((counts * below[np.searchsorted(steps, limit - steps, side="right")]).sum())
        with_itself = int(counts[2 * steps <= limit].sum())
        if (ordered + with_itself) // 2 >= rank:
            high = limit
        else:
            low = limit + 1
    return low


def _all_signs(n: int) -> Floats:
    patterns = np.arange(2**n)[:, None] >> np.arange(n)
    return np.asarray(1.0 - 2.0 * (patterns & 1))


def _none(name: str, n: int, reason: str, effects: dict[str, float | None] | None = None) -> Test:
    return Test(name=name, statistic=None, p=None, n=n, effects=effects or {}, reason=reason)
