"""People's marks of a banded sample: the failing share, the judges' errors, and what they say of other runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats.agreement import icc, krippendorff, quadratic_kappa
from jmedethic_pytest.stats.bands import BANDS, band, spread, stands_for
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.resampling import ONE_CLUSTER, cluster_bootstrap
from jmedethic_pytest.stats.validation import mover, phase_values, ppi, two_phase
from jmedethic_pytest.stats.validation_errors import Accuracy, accuracy, rogan_gladen
from jmedethic_pytest.stats.weighted import deming, weighted_mean

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=40)
SIZES, MARKED, FOUND = (40, 50, 60, 120, 199), (30, 25, 15, 15, 15), (26, 4, 1, 0, 0)


def study() -> tuple[Any, Any, Any, Any]:
    """Return band, mark, verdict and guideline of 469 replies, a hundred of them marked by people."""
    bands = np.repeat(np.arange(5), SIZES)
    marks = np.full(len(bands), np.nan)
    for number in range(5):
        inside = np.flatnonzero(bands == number)[: MARKED[number]]
        marks[inside] = np.arange(MARKED[number]) < FOUND[number]
    return bands, marks, (bands == 0) * 1.0, np.arange(len(bands)) % 67


def test_the_share_of_a_banded_sample_is_that_of_the_whole() -> None:
    bands, marks, judged, guidelines = study()
    found = two_phase(bands, marks, guidelines)
    assert found.value == pytest.approx(0.0995, abs=5e-5)
    assert judged.mean() == pytest.approx(0.0853, abs=5e-5)
    assert (found.n, found.clusters) == (100, 67)
    assert phase_values(bands, marks).mean() == pytest.approx(found.value, abs=1e-12)
    share, sizes = np.array(FOUND) / MARKED, np.array(SIZES)
    variance = (sizes / 469) ** 2 * share * (1 - share) / (np.array(MARKED) - 1) * (1 - np.array(MARKED) / sizes)
    naive = float(np.sqrt(variance.sum()))
    assert naive == pytest.approx(0.0097, abs=5e-5)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0.0811 < found.value - 1.96 * naive + 0.001
    assert found.high >= 0.2065, "fifteen marks without a jailbreak exclude little of 199"


def test_mover_limits_are_those_of_the_page() -> None:
    assert mover(SIZES, MARKED, FOUND) == pytest.approx((0.081, 0.207), abs=5e-4)
    pooled = mover((40, 50, 60, 319), (30, 25, 15, 30), (26, 4, 1, 0))
    assert pooled[1] == pytest.approx(0.185, abs=5e-4)


def test_errors_of_the_judges_are_weighted_back() -> None:
    bands, marks, judged, guidelines = study()
    found = accuracy(judged, marks, bands, guidelines)
    values = [item.value for item in (found.sensitivity, found.specificity, found.youden)]
    assert values == pytest.approx([0.743, 0.987, 0.730], abs=5e-4)
    assert found.youden.value is not None
    assert 0.08 / found.youden.value == pytest.approx(0.110, abs=5e-4), "eight measured points are eleven true ones"
    for item in (found.sensitivity, found.specificity, found.youden):
        assert item.value is not None
        assert item.low is not None
        assert item.high is not None
        assert item.low <= item.value <= item.high
    assert 0 < found.jailbreaks < 31
    assert 0 < found.others < 69


def known_errors() -> Accuracy:
    bands, marks, judged, guidelines = study()
    found = accuracy(judged, marks, bands, guidelines, resamples=50)
    return found.model_copy(update={"jailbreaks": 31.0, "others": 69.0})


def corrected(share: float = 0.12, **changes: Any) -> Any:
    given: dict[str, Any] = {"distance": 0.1, "anchors": "stable", "same_judges": True, **changes}
    return rogan_gladen(share, 469, given.pop("errors", known_errors()), **given)


def test_a_later_run_is_corrected_by_known_errors() -> None:
    found = corrected()
    assert found.value == pytest.approx(0.147, abs=5e-4)
    assert (found.high - found.low) / 2 / 1.95996 == pytest.approx(0.030, abs=5e-4)
    wider = corrected(design_effect=2.0)
    assert wider.high - wider.low > found.high - found.low
    assert corrected(0.0).value == 0.0, "never below nothing"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"same_judges": False}, "judges or their prompts"),
        ({"anchors": None}, "not scored again"),
        ({"anchors": "moved"}, "are moved"),
        ({"anchors": "unclear"}, "are unclear"),
        ({"distance": -0.6}, "-0.60 points"),
    ],
)
def test_errors_of_one_run_are_not_those_of_any_other(changes: dict[str, Any], word: str) -> None:
    found = corrected(**changes)
    assert found.value is None
    assert word in found.reason


def test_blind_judges_correct_nothing() -> None:
    bands, marks, judged, guidelines = study()
    marks[(bands == 4) & ~np.isnan(marks)] = 1.0
    errors = accuracy(judged, marks, bands, guidelines, resamples=50)
    assert "less than 0.4" in corrected(errors=errors).reason


def test_a_band_nobody_marked_leaves_the_share_unknown() -> None:
    bands, marks, judged, guidelines = study()
    marks[bands == 3] = np.nan
    found = two_phase(bands, marks, guidelines)
    assert (found.value, found.low) == (None, None)
    assert "band 3" in found.reason
    assert accuracy(judged, marks, bands, guidelines, resamples=20).youden.value is None
    assert two_phase([], [], []).value is None


def test_judges_without_an_error_among_few_are_not_known_to_be_perfect() -> None:
    judged = np.array([1.0, 0.0] * 10)
    found = accuracy(judged, judged, np.zeros(20), np.arange(20) % 5, resamples=50)
    for estimate in (found.sensitivity, found.specificity, found.youden):
        assert estimate.value == 1
        assert estimate.high == 1
        assert estimate.low is not None
        assert estimate.low < 0.8
    known = rogan_gladen(0.5, 400, found, distance=0.0, anchors="stable", same_judges=True)
    assert known.low is not None
    assert known.low < 0.5 - 1.96 * (0.25 / 400) ** 0.5 - 0.01


def test_one_guideline_gives_no_interval() -> None:
    bands, marks, judged, guidelines = study()
    assert two_phase(bands, marks, guidelines * 0).reason == ONE_CLUSTER
    assert accuracy(judged, marks, bands, guidelines * 0, resamples=20).youden.reason == ONE_CLUSTER


def test_a_random_sample_leans_on_judges_as_far_as_they_can_be_believed() -> None:
    random = np.random.default_rng(1)
    truth = (random.random(469) < 0.2) * 1.0
    marks = np.where(np.arange(469) < 100, truth, np.nan)
    guidelines = np.arange(469) % 67
    right, useless = ppi(truth, marks, guidelines), ppi(random.random(469) < 0.2, marks, guidelines)
    alone = cluster_t(marks, guidelines)
    assert right.value == pytest.approx(truth.mean(), abs=0.02)
    for found in (right, useless, alone):
        assert found.low is not None
    width = [found.high - found.low for found in (right, useless, alone)]  # type: ignore[operator]
    assert width[0] < 0.8 * width[2]
    assert width[1] == pytest.approx(width[2], rel=0.15)
    assert ppi(truth, truth, guidelines).value == pytest.approx(truth.mean(), abs=1e-12), "all marked: people alone"
    assert ppi(truth, np.full(469, np.nan), guidelines).value is None


@STEADY
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 1.0, np.nan]), st.integers(0, 6)), min_size=1))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(rows: list[tuple[int, float, int]]) -> None:
    bands, marks, guidelines = (np.array(column) for column in zip(*rows, strict=True))
    found = two_phase(bands, marks, guidelines)
    if found.value is None:
        assert found.reason
        return
    assert found.value == pytest.approx(phase_values(bands, marks).mean(), abs=1e-9)
    if found.low is not None:
        assert found.high is not None
        assert 0 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= 1
        weighted = weighted_mean(marks, stands_for(bands, ~np.isnan(marks)), guidelines)
        assert weighted.value == pytest.approx(found.value, abs=1e-9)


def test_bands_end_where_they_say() -> None:
    lowest = [1.0, 2.0, 2.5, 4.0, 4.5, 6.0, 8.5, 9.0, 10.0, None]
    assert band(np.array(lowest, dtype=float)).tolist() == [0, 0, 1, 1, 2, 2, 3, 4, 4, -1]
    assert BANDS == 5


def test_a_sample_is_spread_by_the_first_label_and_then_by_the_second() -> None:
    guideline = [f"g{number % 10}" for number in range(200)]
    strategy = [f"s{number // 10 % 5}" for number in range(200)]
    drawn = spread([guideline, strategy], 25, seed=3)
    assert len(set(drawn.tolist())) == 25
    counts = {name: sum(guideline[place] == name for place in drawn) for name in set(guideline)}
    assert set(counts.values()) == {2, 3}
    assert {sum(strategy[place] == name for place in drawn) for name in set(strategy)} == {5}
    assert spread([guideline, strategy], 25, seed=3).tolist() == drawn.tolist()
    assert spread([guideline, strategy], 25, seed=4).tolist() != drawn.tolist()
    assert sorted(spread([guideline], 999)) == list(range(200))
    rare = spread([["a"] * 3 + ["b"] * 97], 20)
    assert sum(place < 3 for place in rare) == 3, "equal numbers as far as they exist"


def test_deming_draws_the_line_that_least_squares_flattens() -> None:
    truth = np.repeat(np.arange(1.0, 10.0), 40)
    noise = np.random.default_rng(0).normal(0, 1, (2, len(truth)))
    line = deming(truth + noise[0], 1 + 0.8 * truth + noise[1])
    assert line is not None
    assert line.slope == pytest.approx(0.8, abs=0.06)
    flat = np.polyfit(truth + noise[0], 1 + 0.8 * truth + noise[1], 1)[0]
    assert flat < line.slope
    exact = deming([1, 2, 3, None], [3, 5, 7, 1])
    assert exact is not None
    assert exact == pytest.approx((2.0, 1.0))
    assert deming([1, 2], [1, 2]) is None
    assert deming([1, 1, 1], [1, 2, 3]) is None
    heavy = deming([1, 2, 3, 9], [1, 2, 3, 0], weights=[1, 1, 1, 0])
    assert heavy == pytest.approx((1.0, 0.0))


@pytest.mark.parametrize(
    "statistic",
    [
        lambda table, weights: icc(table, weights)[0],
        lambda table, weights: krippendorff(table, weights=weights),
        lambda table, weights: krippendorff(table, "interval", weights),
        lambda table, weights: quadratic_kappa(table[:, 0], table[:, 1], weights),
    ],
)
def test_a_turn_that_stands_for_others_counts_as_often(statistic: Any) -> None:
    random = np.random.default_rng(2)
    table = np.clip(np.round(random.normal(6, 2, (40, 1)) + random.normal(0, 1, (40, 2))), 1, 10)
    assert statistic(table, np.full(40, 7.0)) == pytest.approx(statistic(table, None), abs=1e-12)
    heavy = statistic(table, np.where(np.arange(40) < 20, 1e9, 1.0))
    assert heavy == pytest.approx(statistic(np.concatenate([table[:20], table[:20]]), None), abs=1e-4)
    assert heavy != pytest.approx(statistic(table, None), abs=1e-4)


def test_the_bootstrap_takes_several_figures_of_the_same_draws() -> None:
    random = np.random.default_rng(5)
    values, guidelines = random.normal(6, 1, 140), np.repeat(np.arange(20), 7)
    mean, nothing, rarely = cluster_bootstrap(
        lambda rows: (float(values[rows].mean()), None, 1.0 if 0 in guidelines[rows] else None),
        guidelines,
        resamples=400,
    )
    usual = cluster_t(values, guidelines)
    assert mean.value == pytest.approx(usual.value)
    assert mean.low == pytest.approx(usual.low, abs=0.1)
    assert (nothing.value, nothing.reason) == (None, "cannot be estimated")
    assert rarely.low is None
    assert "draws" in rarely.reason
