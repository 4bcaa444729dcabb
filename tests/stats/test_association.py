"""Kendall's tau-b against scipy's, and what must hold of any association of orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau  # type: ignore[import-untyped]

from jmedethic_pytest.stats.association import kendall, kendall_rows

figures = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=2, max_size=9)


@given(figures)
def test_it_is_the_tau_b_of_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = zip(*pairs, strict=True)
    found, expected = kendall(x, y), kendalltau(x, y, variant="b").statistic
    assert (found is None) == bool(np.isnan(expected))
    assert found is None or found == pytest.approx(expected)


@given(figures)
def test_turning_a_list_round_turns_the_sign(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(values, float) for values in zip(*pairs, strict=True))
    found = kendall(x, y)
    assert found == kendall(y, x)
    if found is None:
        assert kendall(x, -y) is None
    else:
        assert kendall(x, -y) == pytest.approx(-found)
        assert -1 <= found <= 1


def test_rows_are_told_apart_and_gaps_give_no_figure() -> None:
    x = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [1.0, np.nan, 3.0]])
    y = np.array([[1.0, 3.0, 2.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    found = kendall_rows(x, y)
    assert found[0] == pytest.approx(1 / 3)
    assert np.isnan(found[1:]).all()
