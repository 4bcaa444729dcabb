"""Bounds of a difference: what they hold for, and when a drop among many figures is one."""

from __future__ import annotations

import numpy as np
import pytest

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import UNSEEN, interval, reach
from jmedethic_pytest.analysis.noninferiority.endpoints import decide
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t

ALPHA = 0.025


def figure(before, low, high, guideline) -> Figure:
    return Figure(Side(before, before), Side(low, high), guideline, np.arange(len(before)), 9.0)


def drawn(seed: int, guidelines: int, cases: int):
    random = np.random.default_rng(seed)
    before = random.choice([1.0, 5.0, 8.0, 9.0, 10.0], cases)
    fall = random.random(cases) < random.choice([0.03, 0.1, 0.3])
    now = np.clip(before + np.where(fall, -8.0, random.choice([-0.5, 0.0, 0.0, 0.5], cases)), 1, 10)
    return random, before, now, random.integers(0, guidelines, cases).astype(np.intp)


@pytest.mark.parametrize(("guidelines", "cases"), [(3, 20), (5, 42), (10, 60), (25, 175), (40, 280), (67, 469)])
def test_bounds_hold_whatever_the_missing_scores_were(guidelines: int, cases: int) -> None:
    """Also where an imputation makes the scores more alike, or more skewed, than they are."""
    for seed in range(25):
        random, before, now, guideline = drawn(seed, guidelines, cases)
        missing = random.random(cases) < random.choice([0.02, 0.05, 0.2])
        low, high = np.where(missing, 1.0, now), np.where(missing, 10.0, now)
        found = reach(figure(before, low, high, guideline), ALPHA)
        assert found.low is not None
        assert found.high is not None
        guesses = (random.uniform(1, 10, cases), random.choice([1.0, 10.0], cases), now)
        for guess in guesses:
            scores = np.where(missing, guess, now)
            actual = interval(figure(before, scores, scores, guideline), ALPHA)
            assert actual.low is not None
            assert actual.high is not None
            assert found.low <= actual.low + 1e-9
            assert found.high >= actual.high - 1e-9


@pytest.mark.parametrize("guidelines", [5, 67])
def test_without_missing_scores_both_bounds_are_the_same(guidelines: int) -> None:
    _, before, now, guideline = drawn(1, guidelines, 200)
    found = figure(before, now, now, guideline)
    actual, bounds = interval(found, ALPHA), reach(found, ALPHA)
    assert (bounds.low, bounds.high) == (pytest.approx(actual.low), pytest.approx(actual.high))


def test_drops_that_cancel_within_guidelines_are_not_certainty() -> None:
    _, before, _, _ = drawn(1, 67, 60)
    before[:] = 5.0
    now = before + np.tile([-4.0, 4.0], 30)
    found = interval(figure(before, now, now, np.repeat(np.arange(30), 2)), ALPHA)
    assert found.method == UNSEEN
    assert found.low < -0.3


def test_no_interval_is_narrower_than_what_unseen_cases_can_do() -> None:
    _, before, now, guideline = drawn(1, 67, 469)
    now[:] = before
    now[0] = before[0] - 0.5 if before[0] > 1 else 1.5
    found = interval(figure(before, now, now, guideline), ALPHA)
    share = 1 - ALPHA ** (1 / 67)
    assert UNSEEN in found.method
    assert found.low == pytest.approx(found.value - 3 * share)
    assert found.high == pytest.approx(found.value + 3 * share)


def test_where_scores_vary_the_interval_is_at_least_that_of_their_clusters() -> None:
    _, before, now, guideline = drawn(3, 67, 469)
    found = figure(before, now, now, guideline)
    actual, plain = interval(found, ALPHA), cluster_t(found.difference, guideline, 0.95)
    assert actual.low <= plain.low
    assert actual.high >= plain.high


def test_a_drop_fails_only_if_it_is_certain_among_all_figures() -> None:
    """One figure of fourteen drops below zero by chance in up to three unchanged runs of ten; that is no regression."""
    _, before, _, guideline = drawn(5, 67, 469)
    random = np.random.default_rng(5)
    before = random.uniform(5, 9, 469)
    noise = random.normal(0, 2, 469)
    noise -= noise.mean()
    error = 2 / np.sqrt(469)
    for standard_errors, answer in ((2.4, "inconclusive"), (4.5, "fail")):
        now = before + noise - standard_errors * error
        found = figure(before, now, now, guideline)
        difference, bounds = interval(found, ALPHA), reach(found, ALPHA, ALPHA / 14)
        assert difference.high < 0
        assert decide(difference, bounds, 0.2, 0)[0] == answer


def test_what_cannot_be_estimated_is_inconclusive_with_its_reason() -> None:
    none = Estimate(value=None, reason="no values")
    one = np.zeros(5, dtype=np.intp)
    bounds = reach(figure(np.ones(5), np.ones(5), np.ones(5), one), ALPHA)
    assert decide(none, bounds, 0.3, 5) == ("inconclusive", "no values")
