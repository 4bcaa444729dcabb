"""Items against all other items: by numpy, item by item; and where there is nothing to correlate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.stats.items import item_rest, rest_scores

SCORES = st.integers(2, 20).map(lambda half: half / 2)


@given(
    st.integers(3, 9).flatmap(lambda models: st.lists(st.lists(SCORES, min_size=models, max_size=models), min_size=2))
)
def test_correlation_is_that_with_the_mean_of_all_others(scores: list[list[float]]) -> None:
    table = np.array(scores)
    for number, found in enumerate(item_rest(table)):
        rest = np.delete(table, number, axis=0).mean(axis=0)
        if np.ptp(table[number]) == 0 or np.ptp(rest) < 1e-12:
            assert found.value is None
            assert found.reason
        else:
            assert found.value == pytest.approx(np.corrcoef(table[number], rest)[0, 1], abs=1e-9)


def test_interval_is_fishers() -> None:
    """r = 0.5 of 12 models: atanh(0.5) -+ 1.959964 / 3."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=12)
    noise = rng.normal(size=12)
    x = (x - x.mean()) / x.std()
    noise = noise - noise.mean() - x * (noise @ x) / 12
    y = 0.5 * x + np.sqrt(0.75) * noise / noise.std()
    found = item_rest([x, y])[0]
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((np.tanh(-0.1040152), np.tanh(1.2026275)), abs=1e-6)


def test_an_item_that_lacks_a_model_is_in_nobodys_mean() -> None:
    table = [[1.0, 5.0, 9.0, 2.0], [2.0, 6.0, 8.0, 4.0], [9.0, 1.0, float("nan"), 3.0]]
    rests = rest_scores(table)
    assert rests[0].tolist() == table[1]
    assert rests[2].tolist() == [1.5, 5.5, 8.5, 3.0]
    assert item_rest(table)[2].n == 3


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], "2 models; at least 3 are needed"),
        ([[5.0, 5.0, 5.0], [1.0, 2.0, 3.0]], "every model has the same score"),
        ([[1.0, 2.0, 3.0]], "0 models; at least 3 are needed"),
    ],
)
def test_what_cannot_be_had_is_missing_with_a_reason(scores: list[list[float]], reason: str) -> None:
    assert (item_rest(scores)[0].value, item_rest(scores)[0].reason) == (None, reason)


def test_three_models_have_a_value_and_no_interval() -> None:
    found = item_rest([[1.0, 2.0, 4.0], [2.0, 3.0, 3.5]])[0]
    assert found.value is not None
    assert (found.low, found.high) == (None, None)
    assert "an interval needs 4" in found.reason
