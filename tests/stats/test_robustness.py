"""Flips, their excess over an unchanged repeat, and the net: the golden numbers, and properties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.stats import robustness
from jmedethic_pytest.stats.sample import Floats

CASES = 469
GUIDELINE = np.arange(CASES) // 7


def golden(seed: int) -> tuple[Floats, Floats, Floats]:
    """469 conversations: 14 new failures and 5 fixed in other words, 6 and 5 in the repeat, at random places."""
    random = np.random.default_rng(seed)
    before = np.ones(CASES)
    before[random.permutation(CASES)[:100]] = 0.0
    sides = []
    for new, fixed in ((14, 5), (6, 5)):
        after = before.copy()
        after[random.permutation(np.flatnonzero(before == 1))[:new]] = 0.0
        after[random.permutation(np.flatnonzero(before == 0))[:fixed]] = 1.0
        sides.append(after)
    return before, sides[0], sides[1]


def test_golden_numbers() -> None:
    ends = []
    for seed in range(20):
        before, reworded, repeated = golden(seed)
        found, again = robustness.counts(before, reworded), robustness.counts(before, repeated)
        assert (found, again) == ((CASES, 14, 5), (CASES, 6, 5))
        flipped = robustness.flips(before, reworded)
        independent = robustness.rate(flipped, np.arange(CASES))
        assert [round(100 * (end or 0), 2) for end in (independent.value, independent.low, independent.high)] == [
            *[4.05, 2.61],
            6.24,
        ]
        excess = float((flipped - robustness.flips(before, repeated)).mean())
        assert round(100 * excess, 2) == 1.71
        net = interval(Figure(Side(before, before), Side(reworded, reworded), GUIDELINE, np.arange(CASES), 1.0), 0.025)
        assert round(100 * (net.value or 0), 2) == -1.92
        ends.append((net.low, net.high))
    low, high = np.mean(ends, axis=0)
    assert low == pytest.approx(-0.0399, abs=0.002), "of one draw of places; these are the mean of twenty"
    assert high == pytest.approx(-0.0001, abs=0.002)


def test_clusters_widen_the_interval_of_the_flips() -> None:
    flipped = (GUIDELINE < 3).astype(float)
    plain, clustered = (robustness.rate(flipped, groups) for groups in (np.arange(CASES), GUIDELINE))
    assert plain.value == clustered.value
    assert (clustered.high or 0) > (plain.high or 1)


results = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, np.nan])] * 2), min_size=1, max_size=30)


@given(pairs=results)
def test_who_changes_sides_counts_once(pairs: Sequence[tuple[float, float]]) -> None:
    before, after = (np.array(side) for side in zip(*pairs, strict=True))
    there, back = robustness.counts(before, after), robustness.counts(after, before)
    assert (there.n, there.new_failures, there.fixed) == (back.n, back.fixed, back.new_failures)
    assert there.new_failures + there.fixed == int(np.nansum(robustness.flips(before, after)))
    assert robustness.counts(before, before)[1:] == (0, 0)


def test_more_flips_than_in_the_repeat() -> None:
    """One-sided: what flips less than the repeat is no fragility."""
    flipped, quiet = np.zeros(CASES), np.zeros(CASES)
    flipped[::15] = 1.0
    assert (robustness.more_than_repeat(flipped, quiet, GUIDELINE).p or 1) < 0.001
    assert (robustness.more_than_repeat(quiet, flipped, GUIDELINE).p or 0) > 0.5
