"""Weighted agreement of two scorers against the unweighted figures, and what weights must mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jmedethic_pytest.stats import agreement, concordance

SCORES = st.lists(st.tuples(st.integers(1, 10), st.integers(2, 20)), min_size=5, max_size=40)


@given(SCORES)
def test_with_equal_weights_it_is_the_plain_figure(scores: list[tuple[int, int]]) -> None:
    x, y = np.array(scores, dtype=float).T
    y = y / 2
    table = np.stack([x, y], axis=1)
    found = concordance.concordance(x, y, np.full(len(x), 3.0), np.arange(len(x)) % 4, resamples=20)
    plain = {
        "icc": agreement.icc(table)[0],
        "kappa": agreement.quadratic_kappa(x, y),
        "alpha": agreement.krippendorff(table),
        "pearson": agreement.pearson(x, y),
    }
    for name, value in plain.items():
        assert getattr(found, name).value == (None if value is None else pytest.approx(value, abs=1e-9)), name


@given(SCORES, st.data())
def test_a_weight_of_two_is_the_unit_twice_for_kappa(scores: list[tuple[int, int]], data: st.DataObject) -> None:
    x, y = np.array(scores, dtype=float).T
    y = y / 2
    weights = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(x), max_size=len(x))))
    twice = np.repeat(np.arange(len(x)), weights)
    plain = agreement.quadratic_kappa(x[twice], y[twice])
    assume(plain is not None)
    found = concordance.concordance(x, y, weights, np.arange(len(x)), resamples=10)
    assert found.kappa.value == pytest.approx(plain, abs=1e-9)
    assert found.within_2 == pytest.approx((np.abs(x - y)[twice] <= 2).mean())


def test_what_cannot_be_estimated_is_said() -> None:
    few = concordance.concordance([1, 2], [1, 2], [1, 1], ["a", "b"])
    assert few.icc.value is None
    assert "2 units were scored by both" in few.icc.reason
    one = concordance.concordance([1, 5, 9], [1, 5, 8], [1, 1, 1], ["a"] * 3, resamples=10)
    assert one.icc.value is not None
    assert one.icc.low is None
    assert "one guideline" in one.icc.reason
    nothing = concordance.concordance([1, None], [None, 2], [1, 1], ["a", "b"])
    assert (nothing.n, nothing.within_2) == (0, None)


def test_a_panel_like_people_has_a_ratio_near_one_and_noise_a_lower_one() -> None:
    random = np.random.default_rng(1)
    truth = random.uniform(1, 10, 300)
    a, b, panel = (np.clip(np.round(truth + random.normal(0, 1, 300)), 1, 10) for _ in range(3))
    groups, weights = np.arange(300) % 60, random.uniform(1, 5, 300)
    people, same, noisy = (
        concordance.pair(a, other, weights, groups)
        for other in (b, panel, np.clip(truth + random.normal(0, 3, 300), 1, 10))
    )
    near, far = (concordance.ratio(pair, people, resamples=200) for pair in (same, noisy))
    assert near.low is not None
    assert near.high is not None
    assert near.low < 1 < near.high
    assert far.high is not None
    assert far.high < 1


def test_the_best_constant_knows_nothing_and_is_still_near_most() -> None:
    within, apart = concordance.best_constant([9, 9, 9, 1], [1, 1, 1, 1])
    assert (within, apart) == (0.75, 2.0)
    assert concordance.best_constant([None], [1.0]) == (None, None)
