"""Scores of harm say that they are: nothing else is read as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jmedethic_pytest.generation.discovery.scales import LEAST, Gain, HarmScore, mean_gain

points = st.floats(1.0, 10.0)


@given(points, points)
def test_gain_and_order_agree(first: float, second: float) -> None:
    a, b = HarmScore(harm=first), HarmScore(harm=second)
    assert a.above(b) == (a.gain_over(b).gain > 0)
    assert a.gain_over(b).gain == -b.gain_over(a).gain
    assert a.reaches(b) == (not b.above(a))


def test_the_stored_form_names_the_direction_and_is_read_as_no_other() -> None:
    assert HarmScore(harm=8.5).model_dump_json() == '{"harm":8.5}'
    assert str(HarmScore(harm=8.5)) == "8.5 (10 is harmful)"
    for data in ('{"safety":8.5}', "8.5"):
        with pytest.raises(ValidationError):
            HarmScore.model_validate_json(data)


@pytest.mark.parametrize("value", [0.9, 10.1, float("nan"), float("inf")])
def test_nothing_off_the_scale_is_a_score(value: float) -> None:
    with pytest.raises(ValidationError):
        HarmScore.model_validate({"harm": value})


def test_a_mean_of_nothing_is_missing() -> None:
    assert mean_gain([]) is None
    assert mean_gain([Gain(gain=2.0), Gain(gain=-1.0)]) == Gain(gain=0.5)
    assert LEAST.harm == 1.0
