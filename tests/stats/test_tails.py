"""Bounds of the chance of a low mean, against the chance itself."""

from __future__ import annotations

import numpy as np
import pytest

from jmedethic_pytest.stats.tails import most_likely_below
from support.lazy import Lazy

stats = Lazy("scipy.stats")


@pytest.mark.parametrize("falls", [1, 2, 3, 5, 7])
def test_is_never_less_than_the_chance_of_rare_falls_and_not_much_more(falls: int) -> None:
    """So many of seven draws fall where one value in fifty does."""
    pool = np.where(np.arange(500) < 10, -8.0, 0.16)
    mean = (falls * -8.0 + (7 - falls) * 0.16) / 7
    chance = stats.binom.sf(falls - 1, 7, 0.02)
    assert chance <= most_likely_below(pool, 7, mean) * (1 + 1e-9)
    assert most_likely_below(pool, 7, mean) <= 6 * chance


def test_is_near_the_normal_distribution_far_out() -> None:
    pool = stats.norm.ppf((np.arange(5000) + 0.5) / 5000)
    assert stats.norm.cdf(-5.0) < most_likely_below(pool, 25, -1.0) < 20 * stats.norm.cdf(-5.0)


def test_ends() -> None:
    pool = np.array([-3.0, 1.0, 1.0, 1.0])
    assert most_likely_below(pool, 5, -3.0) == pytest.approx(0.25**5)
    assert most_likely_below(pool, 5, -3.1) == 0.0
    assert most_likely_below(pool, 5, 0.0) == 1.0
    assert 0.25**5 < most_likely_below(pool, 5, -2.9) < 0.25**4
    assert most_likely_below(np.zeros(4), 2, 0.0) == 1.0
