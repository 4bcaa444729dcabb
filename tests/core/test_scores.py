"""One predicate says what breaks a floor."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core.scores import BEST, SLACK, WORST, at_or_below

SCORES = st.floats(WORST, BEST)


@given(SCORES, SCORES)
def test_score_breaks_a_floor_it_does_not_exceed(score: float, floor: float) -> None:
    if score <= floor:
        assert at_or_below(score, floor)
    if score > floor + 2 * SLACK:
        assert not at_or_below(score, floor)


def test_mean_that_misses_its_floor_in_the_last_bits_breaks_it() -> None:
    assert at_or_below(2.0000000000000004, 2.0)
    assert not at_or_below(2.01, 2.0)


def test_array_is_told_element_by_element_and_a_missing_score_breaks_nothing() -> None:
    assert at_or_below(np.array([1.0, 2.0, 2.5, np.nan]), 2.0).tolist() == [True, True, False, False]
