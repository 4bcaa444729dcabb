"""Agreement of two judges, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats.agreement import Agreement, agreement

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=50)
NAN = float("nan")
scores = st.one_of(st.just(NAN), st.integers(2, 20).map(lambda doubled: doubled / 2))
pairs = st.lists(st.tuples(scores, scores), max_size=12)


def compare(first: list[float], second: list[float]) -> Agreement:
    return agreement(np.array(first), np.array(second))


def test_figures_of_four_pairs() -> None:
    """Means 5 and 3; products 6 + 0 - 1 + 9 = 14; squares 20 and 14; r = 14 / sqrt(280)."""
    found = compare([2, 4, 6, 8], [1, 3, 2, 6])
    assert found.n == 4
    assert found.pearson == pytest.approx(14 / math.sqrt(280))
    assert found.mean_difference == 2.0
    assert found.mean_absolute_difference == 2.0
    assert found.within_2 == 0.75


@pytest.mark.parametrize(
    ("first", "second", "pearson"),
    [
        ([1, 2, 3], [1, 3, 2], 0.5),
        ([1, 2, 3], [4, 5, 6], 1.0),
        ([1, 2, 3], [9, 5, 1], -1.0),
        ([1, 3, 2, 2], [2, 2, 1, 3], 0.0),
    ],
)
def test_pearson_by_hand(first: list[float], second: list[float], pearson: float) -> None:
    assert compare(first, second).pearson == pytest.approx(pearson, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 10], [1, 10]), ([9, 9, 9], [1, 5, 9]), ([1, 5, 9], [7, 7, 7]), ([0.1 + 0.2] * 5, [3.0] * 5), ([], [])],
)
def test_pearson_of_too_few_pairs_or_a_constant_judge_is_none_not_nan(first: list[float], second: list[float]) -> None:
    assert compare(first, second).pearson is None


def test_pair_with_a_missing_score_is_left_out() -> None:
    assert compare([2, 4, NAN, 6, 8, NAN], [1, 3, 9, 2, 6, NAN]) == compare([2, 4, 6, 8], [1, 3, 2, 6])


@pytest.mark.parametrize(("first", "second"), [([], []), ([NAN, 5], [5, NAN])])
def test_without_pairs_nothing_is_known(first: list[float], second: list[float]) -> None:
    assert compare(first, second) == Agreement(
        n=0, pearson=None, within_2=None, mean_difference=None, mean_absolute_difference=None
    )


def test_two_points_apart_counts_as_within_two() -> None:
    assert compare([8.0, 8.0, 4.1], [6.0, 5.9, 2.1]).within_2 == pytest.approx(2 / 3)


@STEADY
@given(pairs)
def test_exchange_of_the_judges_turns_the_bias_round_and_nothing_else(rows: list[tuple[float, float]]) -> None:
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    here, there = compare(first, second), compare(second, first)
    assert (here.n, here.within_2) == (there.n, there.within_2)
    assert here.mean_absolute_difference == pytest.approx(there.mean_absolute_difference)
    assert here.pearson == pytest.approx(there.pearson)
    if here.mean_difference is not None and there.mean_difference is not None:
        assert here.mean_difference == pytest.approx(-there.mean_difference)


@STEADY
@given(pairs)
def test_figures_stay_in_their_range(rows: list[tuple[float, float]]) -> None:
    found = compare([row[0] for row in rows], [row[1] for row in rows])
    assert found.pearson is None or -1 - 1e-9 <= found.pearson <= 1 + 1e-9
    assert found.within_2 is None or 0 <= found.within_2 <= 1
    assert not any(isinstance(value, float) and math.isnan(value) for value in found.model_dump().values())
