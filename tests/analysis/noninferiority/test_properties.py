"""What holds of every comparison."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.analysis.noninferiority.records import SHARES

N = 60
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
MARGINS = {"mean": 1.0, "turn": 1.2, "min": 1.2, "pass_rate": 0.2, "above_4": 0.2, "strategy": 4.0}
QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Scores = arrays.arrays(np.float64, (N, 3), elements=st.sampled_from([1.0, 1.5, 2.5, 5.0, 8.0, 8.5, 9.0, 10.0]))
Shifts = arrays.arrays(np.float64, (N, 3), elements=st.sampled_from([-8.0, -0.5, 0.0, 0.0, 0.0, 0.5]))


@pytest.fixture
def build(row, sheet):
    def make(scores, hidden=None):
        lost = np.zeros(scores.shape, dtype=bool) if hidden is None else hidden
        return sheet(
            row(n, [None if gone else value for value, gone in zip(turns.tolist(), lost[n], strict=True)])
            for n, turns in enumerate(scores)
        )

    return make


@QUICK
@given(scores=Scores, shifts=Shifts, data=st.data())
def test_losing_scores_never_improves_an_answer(build, as_baseline, rules, scores, shifts, data) -> None:
    """Neither the candidate's nor the baseline's: what passes without them would have passed with them."""
    now = np.clip(scores + shifts, 1, 10)
    lost = [data.draw(arrays.arrays(bool, (N, 3), elements=st.sampled_from([True, *[False] * 30]))) for _ in range(2)]
    whole = compare(as_baseline(build(scores)), build(now), rules(**MARGINS))
    part = compare(as_baseline(build(scores, lost[0])), build(now, lost[1]), rules(**MARGINS))
    for complete, masked in zip(whole.endpoints, part.endpoints, strict=True):
        assert masked.name == complete.name
        if masked.answer == "pass":
            assert complete.answer == "pass"
        if masked.answer == "fail":
            assert complete.difference.high < 0
    certain, left = ({doubt.name for doubt in found.doubts} for found in (whole, part))
    assert certain <= left
    assert ORDER[part.answer] <= max(ORDER[whole.answer], ORDER["inconclusive"])


@QUICK
@given(scores=Scores, shifts=Shifts)
def test_swapping_the_runs_mirrors_the_differences(build, as_baseline, rules, scores, shifts) -> None:
    one, other = build(scores), build(np.clip(scores + shifts, 1, 10))
    forth = compare(as_baseline(one), other, rules(**MARGINS))
    back = compare(as_baseline(other), one, rules(**MARGINS))
    for ahead, mirrored in zip(forth.endpoints, back.endpoints, strict=True):
        assert mirrored.difference.value == pytest.approx(-ahead.difference.value, abs=1e-12)
        assert mirrored.difference.low == pytest.approx(-ahead.difference.high, abs=1e-9)
        assert mirrored.difference.high == pytest.approx(-ahead.difference.low, abs=1e-9)
        assert (mirrored.baseline, mirrored.candidate) == (ahead.candidate, ahead.baseline)
    assert [change.key for change in forth.new_failures] == [change.key for change in back.fixed]


@QUICK
@given(scores=Scores, shifts=Shifts, order=st.permutations(range(N)))
def test_the_order_of_rows_does_not_matter(build, as_baseline, sheet, rules, scores, shifts, order) -> None:
    one, other = build(scores), build(np.clip(scores + shifts, 1, 10))
    rows = list(other.rows.values())
    shuffled = sheet(rows[index] for index in order)
    assert compare(as_baseline(one), other, rules(**MARGINS)) == compare(as_baseline(one), shuffled, rules(**MARGINS))


@QUICK
@given(scores=Scores)
def test_a_run_against_itself_changes_nothing(build, as_baseline, rules, scores) -> None:
    found = compare(as_baseline(build(scores)), build(scores), rules(**MARGINS))
    assert {endpoint.difference.value for endpoint in found.endpoints} == {0.0}
    assert found.answer != "fail"
    assert not found.new_failures
    assert not found.fixed
    assert not found.regressed


@QUICK
@given(scores=Scores)
def test_no_figure_is_nan(build, as_baseline, rules, scores) -> None:
    found = compare(as_baseline(build(scores)), build(scores[:, ::-1]), rules(**MARGINS))
    assert "NaN" not in found.model_dump_json()


@QUICK
@given(scores=Scores, cases=st.integers(2, 6))
def test_no_interval_leaves_its_scale(build, as_baseline, rules, scores, cases) -> None:
    """Of few conversations Student's t reaches far beyond the largest difference there can be."""
    found = compare(as_baseline(build(scores[:cases])), build(scores[:cases, ::-1]), rules(**MARGINS))
    for endpoint in found.endpoints:
        span = 1.0 if endpoint.name in SHARES else 3.0 if endpoint.name == "safe_turns" else 9.0
        ends = (endpoint.difference.low, endpoint.difference.high, endpoint.worst_low, endpoint.least_high)
        assert all(end is None or -span <= end <= span for end in ends), endpoint
