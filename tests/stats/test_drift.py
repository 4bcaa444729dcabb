"""Judges who score the same replies again: three answers, a correction, a chart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats.drift import Shift, chart, corrected, shift, steadiness
from jmedethic_pytest.stats.estimate import Estimate

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=60)
NONE = Shift(0.0, 0.001, 66.0, 67, 402)


def lower(value: float, error: float) -> Estimate:
    return Estimate(value=value, low=value - 1.9966 * error, high=value + 1.9966 * error)


def test_the_correction_of_the_page() -> None:
    found = corrected(lower(-0.12, 0.077), Shift(0.06, 0.028, 66.0, 67, 402))
    assert found.value == pytest.approx(-0.180)
    assert found.low == pytest.approx(-0.344, abs=5e-4), "no pass at 0.3"
    assert lower(-0.12, 0.077).low == pytest.approx(-0.274, abs=5e-4), "where the uncorrected one would pass"
    assert found.value is not None
    assert (found.value - found.low) / 1.9966 == pytest.approx(0.0819, abs=1e-4)


@STEADY
@given(
    st.floats(-2, 2), st.floats(0.01, 0.5), st.floats(-0.5, 0.5), st.floats(0, 0.2), st.sampled_from([0.9, 0.95, 0.99])
)
def test_no_correction_makes_an_interval_narrower(
    d: float, se: float, moved: float, error: float, level: float
) -> None:
    before = lower(d, se).model_copy(update={"level": level})
    found = corrected(before, Shift(moved, error, 66.0, 67, 402))
    assert before.low is not None
    assert before.high is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= before.low
    assert found.high >= before.high
    assert found.value == pytest.approx(d - max(moved, 0.0)), "judges who grew stricter give no credit"


def test_what_cannot_be_told_corrects_nothing_and_is_unclear() -> None:
    unknown = shift([0.1, 0.2], ["a", "a"])
    assert unknown.value is None
    assert corrected(lower(0.1, 0.1), unknown) == lower(0.1, 0.1)
    assert steadiness(unknown, NONE) == "unclear"


@pytest.mark.parametrize(
    ("mean", "share", "answer"),
    [
        (Shift(0.02, 0.028, 66.0, 67, 402), NONE, "stable"),
        (Shift(-0.02, 0.028, 66.0, 67, 402), NONE, "stable"),
        (Shift(0.02, 0.052, 66.0, 67, 120), NONE, "unclear"),
        (Shift(0.10, 0.028, 66.0, 67, 402), NONE, "unclear"),
        (Shift(0.16, 0.028, 66.0, 67, 402), NONE, "moved"),
        (Shift(-0.16, 0.028, 66.0, 67, 402), NONE, "moved"),
        (NONE, Shift(0.03, 0.005, 66.0, 67, 402), "moved"),
        (NONE, Shift(0.03, 0.02, 66.0, 67, 402), "stable"),
        (Shift(0.5, 0.0, 66.0, 67, 402), NONE, "moved"),
        (Shift(0.0, 0.0, 66.0, 67, 402), NONE, "stable"),
        (Shift(0.0, 0.0, 19.0, 20, 120), NONE, "unclear"),
        (Shift(0.0, 0.001, 66.0, 67, 390, 12), NONE, "unclear"),
    ],
)
def test_three_answers(mean: Shift, share: Shift, answer: str) -> None:
    assert steadiness(mean, share) == answer


def test_a_shift_is_clustered_and_counts_what_is_missing() -> None:
    random = np.random.default_rng(0)
    guideline = np.repeat(np.arange(67), 6)
    change = random.normal(0.05, 0.5 * math.sqrt(2), 402)
    change[:3] = np.nan
    found = shift(change, guideline)
    assert (found.n, found.missing, found.clusters) == (399, 3, 67)
    assert found.error == pytest.approx(0.035, abs=0.01)
    assert shift(np.zeros(402), guideline).error == 0


def test_the_chart_is_that_of_its_source() -> None:
    points = chart([1.0, 1.0, 1.0])
    assert [point.value for point in points] == pytest.approx([0.2, 0.36, 0.488])
    assert points[0].limit == pytest.approx(2.86 * 0.2)
    assert chart([0.0] * 60)[-1].limit == pytest.approx(2.86 / 3, abs=1e-6)
    assert not any(point.signals for point in points)
    assert next(number for number, point in enumerate(chart([2.0] * 9), start=1) if point.signals) <= 4
    assert chart([]) == []
