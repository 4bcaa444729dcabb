"""The interval for clusters of which a few lie far off, against exact bounds of rare events."""

from __future__ import annotations

import numpy as np
import pytest

from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.sample import sample
from jmedethic_pytest.stats.skewed import cluster_t_skewed, reach, skewness
from support.lazy import Lazy

stats = Lazy("scipy.stats")


@pytest.mark.parametrize("n", [67, 469, 2345])
@pytest.mark.parametrize("fallen", [9, 16, 36, 60])
def test_bound_of_rare_falls_is_about_the_exact_binomial_one(n: int, fallen: int) -> None:
    """Clopper and Pearson's bound, within 5 %; Student's t alone is up to 13 % too optimistic."""
    exact = stats.binomtest(fallen, n).proportion_ci(0.95, "exact").high
    drops = np.where(np.arange(n) < fallen, -1.0, 0.0)
    found, plain = cluster_t_skewed(drops, np.arange(n)), cluster_t(drops, np.arange(n))
    assert found.low is not None
    assert plain.low is not None
    assert -found.low == pytest.approx(exact, rel=0.05)
    assert plain.low > found.low or fallen > n / 2


@pytest.mark.parametrize("n", [67, 469])
@pytest.mark.parametrize("fallen", [1, 2, 3, 4, 5])
def test_bound_of_very_rare_falls_is_on_the_safe_side(n: int, fallen: int) -> None:
    """Where Student's t is a fifth to a half too optimistic."""
    exact = stats.binomtest(fallen, n).proportion_ci(0.95, "exact").high
    drops = np.where(np.arange(n) < fallen, -1.0, 0.0)
    found, plain = cluster_t_skewed(drops, np.arange(n)), cluster_t(drops, np.arange(n))
    assert found.low is not None
    assert plain.low is not None
    assert exact < -found.low < 1.7 * exact
    assert -plain.low < 0.85 * exact


def test_nothing_is_corrected_where_nothing_is_skewed() -> None:
    values = np.tile([-1.0, 0.0, 1.0], 20)
    found, plain = cluster_t_skewed(values, np.arange(60)), cluster_t(values, np.arange(60))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=2e-3)
    assert found.method == "cluster t, corrected for skewness"


def test_long_tail_lengthens_its_own_side_only() -> None:
    data = sample([0.0] * 60 + [-3.0] * 3, np.arange(63))
    down, up = reach(data)
    quantile = stats.t.ppf(0.975, 62)
    assert down > 1.3 * quantile
    assert up == pytest.approx(quantile)


def test_skewness_of_scipy_for_clusters_of_one_size() -> None:
    values = np.random.default_rng(0).exponential(size=120)
    means = values.reshape(40, 3).mean(axis=1)
    assert skewness(sample(values, np.repeat(np.arange(40), 3))) == pytest.approx(stats.skew(means, bias=False))
    assert skewness(sample([1.0, 2.0], ["a", "b"])) == 0.0
