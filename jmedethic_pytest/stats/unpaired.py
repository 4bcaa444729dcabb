"""Comparisons of unpaired groups: the paper's tests of turns, and model means of groups of models.

On turns of the same conversations they ignore the pairing and are kept for comparison with the paper only; the default
is ``paired``. Differences are first minus second; above zero the first group is safer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.ranks import rank_sum
from jmedethic_pytest.stats.sample import SAME, Floats, constant, known

MIN_MODELS = 3
"""Models a group needs for a test; with fewer its values are only shown."""
_MOST_PERMUTATIONS = 199_999


def mann_whitney(x: ArrayLike, y: ArrayLike) -> Test:
    """Test whether scores of one group tend to be higher, two-sided, as the paper does for turns.

    Normal approximation with correction for ties and continuity (Mann & Whitney 1947; arXiv 2601.01627v2, section 5.2).
    The statistic is U of the first group: pairs in which it is higher, ties half. Effects: ``cohen_d``,
    ``cliffs_delta``.

    Args:
        x: scores of the first group; missing ones are left out.
        y: scores of the second group.
    """
    name = "Mann-Whitney U"
    a, b = known(x), known(y)
    reason = "fewer than two scores in a group" if min(len(a), len(b)) < 2 else _tied(a, b)
    if reason:
        return _none(name, a, b, reason)
    return _found(name, a, b, *rank_sum(a, b))


def exact_mann_whitney(x: ArrayLike, y: ArrayLike, seed: int = 0) -> Test:
    """Test whether model means of one group tend to be higher, two-sided, exactly.

    Exact distribution of U without ties; with ties that of all ways to divide the values into the two groups, or of
    199,999 random ones if there are more. Statistic and effects as in ``mann_whitney``.

    Args:
        x: one mean a model of the first group; missing ones are left out.
        y: one mean a model of the second group.
        seed: start of the random numbers, where they are needed.
    """
    name = "exact Mann-Whitney U"
    a, b = known(x), known(y)
    reason = f"fewer than {MIN_MODELS} models in a group" if min(len(a), len(b)) < MIN_MODELS else _tied(a, b)
    if reason:
        return _none(name, a, b, reason)
    ties = len(np.unique(np.concatenate((a, b)))) < len(a) + len(b)
    from scipy import stats  # type: ignore[import-untyped] # slow to import, and only for comparing groups of models

    random = np.random.default_rng(seed)
    method = stats.PermutationMethod(n_resamples=_MOST_PERMUTATIONS, rng=random) if ties else "exact"
    found = stats.mannwhitneyu(a, b, alternative="two-sided", method=method)
    return _found(name, a, b, float(found.statistic), float(found.pvalue))


def kruskal(groups: Sequence[ArrayLike]) -> Test:
    """Test whether any of several groups differs (Kruskal & Wallis 1952, corrected for ties, chi-square approximation).

    Effect ``epsilon_squared`` = H / (n - 1): share of the variance of the ranks between groups, 0 to 1 (Kelley 1935).

    Args:
        groups: the scores of each group; missing ones are left out.
    """
    values = [known(group) for group in groups]
    everything = np.concatenate(values) if values else np.array([])
    n = len(everything)
    reason = ""
    if len(values) < 2:
        reason = "fewer than two groups"
    elif min(len(group) for group in values) < 1:
        reason = "a group without scores"
    elif constant(everything):
        reason = "all scores are equal"
    elif n == len(values):
        reason = "one score a group: nothing shows how much a group varies"
    if reason:
        return Test(name="Kruskal-Wallis", statistic=None, p=None, n=n, reason=reason)
    from scipy import stats  # slow to import, as above

    found = stats.kruskal(*values)
    h = float(found.statistic)
    return Test(
        name="Kruskal-Wallis", statistic=h, p=float(found.pvalue), n=n, effects={"epsilon_squared": h / (n - 1)}
    )


def cohen_d(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return the difference of the means in standard deviations: (m_x - m_y) / sqrt((s_x^2 + s_y^2) / 2).

    The paper's effect size for turns (Cohen 1988; 0.75 and 0.24 in arXiv 2601.01627v2). ``None`` if a group has fewer
    than two scores or nothing varies.
    """
    a, b = known(x), known(y)
    if min(len(a), len(b)) < 2:
        return None
    pooled = math.sqrt((float(a.var(ddof=1)) + float(b.var(ddof=1))) / 2)
    return float(a.mean() - b.mean()) / pooled if pooled > SAME else None


def cliffs_delta(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return P(x > y) - P(x < y), -1 to 1: 2 U / (n_x n_y) - 1 (Cliff 1993).

    Small from 0.147, medium from 0.33, large from 0.474 (Romano et al. 2006). ``None`` if a group is empty.
    """
    a, b = known(x), np.sort(known(y))
    if not len(a) or not len(b):
        return None
    higher, lower = np.searchsorted(b, a, side="left"), len(b) - np.searchsorted(b, a, side="right")
    return float((higher - lower).sum()) / (len(a) * len(b))


def _tied(a: Floats, b: Floats) -> str:
    return "all scores are equal" if constant(np.concatenate((a, b))) else ""


def _effects(a: Floats, b: Floats) -> dict[str, float | None]:
    return {"cohen_d": cohen_d(a, b), "cliffs_delta": cliffs_delta(a, b)}


def _found(name: str, a: Floats, b: Floats, statistic: float, p: float) -> Test:
    return Test(name=name, statistic=statistic, p=p, n=len(a) + len(b), effects=_effects(a, b))


def _none(name: str, a: Floats, b: Floats, reason: str) -> Test:
    return Test(name=name, statistic=None, p=None, n=len(a) + len(b), effects=_effects(a, b), reason=reason)
