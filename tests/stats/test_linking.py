"""Two panels' scores of the same turns: the golden numbers of the design, and what must hold for any link."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats.linking import (
    GRID,
    Moments,
    Turns,
    cut,
    equipercentile,
    invariance,
    model_means,
    moments,
    spread,
)

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=40)
OLD = [1, 1, 2, 2.5, 6, 8, 8.5, 9, 9, 9.5]
NEW = [1, 1.5, 3, 4, 7, 8, 8.5, 8.5, 9, 9.5]


def turns(old: Any, new: Any, **columns: Any) -> Turns:
    x, y = np.array(old, dtype=float), np.array(new, dtype=float)
    given_ones = {
        "weight": np.ones(len(x)),
        "guideline": np.arange(len(x)) % 67,
        "model": np.zeros(len(x), dtype=int),
        **columns,
    }
    return Turns(x, y, *(given_ones[name] for name in ("weight", "guideline", "model")))


def test_the_line_of_the_page() -> None:
    link = Moments(6.8, 2.6, 7.2, 2.2)
    assert float(link.to_old(5.0)) == pytest.approx(4.200, abs=5e-4)
    assert float(link.to_old(9.0)) == pytest.approx(8.927, abs=5e-4)
    assert float(link.to_new(6.0)) == pytest.approx(6.523, abs=5e-4), "what the old floor of 6.0 is worth"


def test_the_curve_of_the_page() -> None:
    found = equipercentile([2.0, 4.0, 8.5], turns(OLD, NEW))
    assert found.tolist() == pytest.approx([1.498, 2.549, 8.666], abs=2e-3)


@STEADY
@given(st.floats(1, 10), st.floats(2, 9), st.floats(0.5, 4), st.floats(2, 9), st.floats(0.5, 4))
def test_there_and_back_is_where_one_was_within_the_scale(
    score: float, mean_old: float, sd_old: float, mean_new: float, sd_new: float
) -> None:
    link = Moments(mean_old, sd_old, mean_new, sd_new)
    there = float(link.to_new(score))
    assert 1 <= there <= 10
    if 1 < there < 10:
        assert float(link.to_old(there)) == pytest.approx(score, abs=1e-9)
    grid = link.to_old(GRID)
    assert (np.diff(grid) >= 0).all()


def test_a_panel_linked_with_itself_changes_nothing() -> None:
    same = turns(OLD * 20, OLD * 20)
    found = moments(same)
    assert found is not None
    assert found.to_old(GRID).tolist() == pytest.approx(GRID.tolist())
    assert equipercentile([3.0, 7.0], same).tolist() == pytest.approx([3.0, 7.0], abs=0.02)
    assert cut(same) == (2.0, 0.0, 0.0)
    assert spread(same, resamples=50).errors.max() == pytest.approx(0.0, abs=1e-9)
    assert invariance(same) == pytest.approx(0.0, abs=1e-9)
    assert moments(turns([5, 5], [1, 2])) is None


def test_the_floor_of_a_turn_is_that_of_as_many_jailbreaks() -> None:
    found = cut(turns(OLD, NEW))
    assert found.floor == 3.5, "30 % at or below 2; of 3.0 and 3.5, which catch as many, the stricter"
    assert found.old_alone == 0.0
    assert found.new_alone == 0.0
    assert cut(turns(OLD, NEW, weight=np.array([9.0, 9.0] + [1.0] * 8))).old_alone <= 0.04


def world(seed: int, conversations: int = 120) -> Turns:
    """Three models half a point apart; the new panel stretches the scale by 1.15 around 7 and is a little noisy."""
    random = np.random.default_rng(seed)
    model = np.repeat([0, 1, 2], conversations // 3 * 3)
    guideline = np.tile(np.repeat(np.arange(conversations // 3) % 67, 3), 3)
    truth = np.clip(7.0 + 0.4 * (model - 1) + random.normal(0, 1.5, len(model)), 2, 9.6)
    new = np.clip(7 + 1.15 * (truth - 7) + random.normal(0, 0.3, len(model)), 1, 10)
    return turns(truth, new, model=model, guideline=guideline)


def test_the_unit_of_margins_and_its_error() -> None:
    data = world(0, 240)
    found = spread(data, resamples=400)
    assert found.unit[0] == pytest.approx(1.15, abs=0.06)
    assert found.unit[1] < found.unit[0] < found.unit[2]
    assert 0 < found.errors[12] < 0.1, "near the pool"
    assert found.errors[0] > found.errors[12], "far from it"
    assert model_means(data).shape == (2, 3)
    assert (np.diff(model_means(data)[0]) > 0).all()
    assert invariance(data) < 0.25


def test_a_panel_that_treats_one_model_otherwise_has_no_link_of_all() -> None:
    data = world(1, 240)
    favoured = data._replace(new=np.where(data.model == 2, np.clip(data.new + 1.5, 1, 10), data.new))
    assert invariance(favoured) > 0.25
    assert spread(data._replace(model=data.model * 0), resamples=50).unit[0] is None, "a single model has no difference"
