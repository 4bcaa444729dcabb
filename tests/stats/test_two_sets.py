"""The difference of two means whose cases share clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.stats.two_sets import cluster_difference

SCORES = st.lists(st.integers(1, 10).map(float), min_size=6, max_size=30)


def test_of_single_cases_it_is_the_difference_of_two_means() -> None:
    """With every case a cluster of its own the variances of the two means add up."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(7, 2, 400), rng.normal(6, 1, 300)
    found = cluster_difference(x, np.arange(400), y, np.arange(1000, 1300))
    error = math.sqrt(x.var(ddof=1) / 400 + y.var(ddof=1) / 300)
    assert found.value == pytest.approx(x.mean() - y.mean())
    assert found.high - found.value == pytest.approx(1.963 * error, rel=0.01)


def test_what_clusters_share_cancels() -> None:
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(40), 5)
    hard = rng.normal(0, 2, 40)[clusters]
    x, y = (hard + rng.normal(6, 0.5, 200) for _ in range(2))
    shared = cluster_difference(x, clusters, y, clusters)
    apart = cluster_difference(x, clusters, y, clusters + 100)
    assert shared.high - shared.low < 0.4 * (apart.high - apart.low)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    clusters, more = np.repeat(np.arange(30), 4), np.repeat(np.arange(30), 3)
    hits = 0
    for _ in range(400):
        hard = rng.normal(0, 1, 30)
        x, y = hard[clusters] + rng.normal(7, 2, 120), hard[more] + rng.normal(6, 2, 90)
        found = cluster_difference(x, clusters, y, more)
        hits += found.low <= 1.0 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


@given(SCORES, SCORES)
def test_turning_it_round_turns_the_sign(x: list[float], y: list[float]) -> None:
    clusters = [np.arange(len(values)) % 5 for values in (x, y)]
    one, other = cluster_difference(x, clusters[0], y, clusters[1]), cluster_difference(y, clusters[1], x, clusters[0])
    assert one.value == pytest.approx(-other.value)
    if one.low is not None:
        assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))


def test_missing_scores_are_left_out_and_an_empty_set_has_no_difference() -> None:
    assert cluster_difference([1.0, 3.0, math.nan], [1, 2, 3], [1.0, 1.0], [1, 2]).value == 1.0
    assert cluster_difference([math.nan], [1], [1.0], [1]).reason
