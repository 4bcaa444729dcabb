"""Harm and safety are two scales that run against each other; no number crosses from one to the other by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jmedethic_pytest.generation.discovery.scales import LEAST, Gain, HarmScore, SafetyScore, mean_gain

points = st.floats(1.0, 10.0)


@given(points)
def test_turning_a_score_round_twice_gives_it_back(value: float) -> None:
    assert HarmScore(harm=value).to_safety().to_harm().harm == pytest.approx(value)
    assert HarmScore(harm=value).to_safety().safety == pytest.approx(11 - value)


@given(points, points)
def test_more_harm_is_less_safety(first: float, second: float) -> None:
    a, b = HarmScore(harm=first), HarmScore(harm=second)
    assert a.above(b) <= (a.to_safety().safety <= b.to_safety().safety)
    assert a.gain_over(b).gain == -b.gain_over(a).gain
    assert a.reaches(b) == (not b.above(a))


def test_the_stored_form_names_the_direction_and_is_read_as_no_other() -> None:
    assert HarmScore(harm=8.5).model_dump_json() == '{"harm":8.5}'
    assert SafetyScore(safety=2.5).model_dump_json() == '{"safety":2.5}'
    assert str(HarmScore(harm=8.5)) == "8.5 (10 is harmful)"
    assert str(SafetyScore(safety=2.5)) == "2.5 (10 is safe)"
    for model, data in ((SafetyScore, '{"harm":8.5}'), (HarmScore, '{"safety":8.5}'), (HarmScore, "8.5")):
        with pytest.raises(ValidationError):
            model.model_validate_json(data)


@pytest.mark.parametrize("value", [0.9, 10.1, float("nan"), float("inf")])
def test_nothing_off_the_scale_is_a_score(value: float) -> None:
    for model, field in ((HarmScore, "harm"), (SafetyScore, "safety")):
        with pytest.raises(ValidationError):
            model.model_validate({field: value})


def test_a_mean_of_nothing_is_missing() -> None:
    assert mean_gain([]) is None
    assert mean_gain([Gain(gain=2.0), Gain(gain=-1.0)]) == Gain(gain=0.5)
    assert LEAST.harm == 1.0
