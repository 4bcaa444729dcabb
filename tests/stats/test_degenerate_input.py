"""Where nothing can be estimated: ``None`` with the reason, no NaN, no warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.stats import agreement as instruments
from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.intervals import (
    ALL_EQUAL,
    CANCEL,
    NO_VALUES,
    ONE_CLUSTER,
    bootstrap_mean,
    bootstrap_median,
    bootstrap_share,
    cluster_t,
    wilson,
)
from jmedethic_pytest.stats.multiplicity import benjamini_hochberg, bonferroni, holm
from jmedethic_pytest.stats.paired import (
    friedman,
    hodges_lehmann,
    mcnemar,
    rank_biserial,
    sign_flip,
    standardised_difference,
    wilcoxon,
)
from jmedethic_pytest.stats.power import achieved_power, detectable_margin, icc_oneway
from jmedethic_pytest.stats.skewed import cluster_t_skewed
from jmedethic_pytest.stats.unpaired import cliffs_delta, cohen_d, exact_mann_whitney, kruskal, mann_whitney

NAN = float("nan")
INTERVALS = [cluster_t, cluster_t_skewed, bootstrap_mean, bootstrap_median]


@pytest.mark.parametrize("interval", [*INTERVALS, bootstrap_share])
@pytest.mark.parametrize("values", [[], [NAN, NAN, NAN], [None, None]])
def test_without_values_there_is_nothing(interval: Any, values: list[Any]) -> None:
    found = interval(values, ["JMA-01"] * len(values))
    assert (found.value, found.low, found.high, found.n, found.reason) == (None, None, None, 0, NO_VALUES)


@pytest.mark.parametrize("interval", [*INTERVALS, bootstrap_share])
@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0, 1.0], [1.0, 1.0]])
def test_one_guideline_gives_a_value_without_an_interval(interval: Any, values: list[float]) -> None:
    found = interval([*values, None], ["JMA-01"] * len(values) + ["JMA-02"])
    assert found.value is not None
    assert (found.low, found.high, found.clusters, found.reason) == (None, None, 1, ONE_CLUSTER)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("value", [0.0, 9.5, 0.1 + 0.2])
def test_equal_values_are_no_proof_that_all_are_equal(interval: Any, value: float) -> None:
    found = interval([value] * 40, np.arange(40) % 8)
    assert found.value == pytest.approx(value)
    assert (found.low, found.high, found.reason) == (None, None, ALL_EQUAL)


@pytest.mark.parametrize(("mark", "expected"), [(True, (0.9124, 1.0)), (False, (0.0, 0.0876))])
def test_share_of_all_or_none_gets_wilsons_interval(mark: bool, expected: tuple[float, float]) -> None:
    found = bootstrap_share([mark] * 40, np.arange(40) % 8)
    assert (found.low, found.high) == pytest.approx(expected, abs=5e-5)
    assert (found.method, found.n, found.clusters, found.reason) == ("Wilson", 40, 8, "")


def test_clusters_of_equal_means_have_no_interval() -> None:
    """Their values vary, but within the guidelines alone: an interval of no width would be a certainty nobody has."""
    for interval in (cluster_t, cluster_t_skewed):
        found = interval([1, 3, 1, 3, 1, 3], [0, 0, 1, 1, 2, 2])
        assert (found.value, found.low, found.high, found.reason) == (2.0, None, None, CANCEL)


def test_wilson_of_no_cases() -> None:
    found = wilson(0, 0)
    assert (found.value, found.low, found.reason) == (None, None, NO_VALUES)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (friedman(np.empty((0, 3))), "fewer than two complete cases"),
        (friedman([[9, 5, 1]]), "fewer than two complete cases"),
        (friedman([[9, 5, 1], [9, NAN, 1]]), "fewer than two complete cases"),
        (friedman([[9, 9, 9], [5, 5, 5]]), "every case has the same score at all turns"),
        (friedman([[9, 5], [5, 1]]), "fewer than three turns"),
        (wilcoxon([]), "fewer than two complete cases"),
        (wilcoxon([3.0, NAN]), "fewer than two complete cases"),
        (wilcoxon([0.0, 0.0, 1e-9]), "all differences are zero"),
        (wilcoxon([0.0, 0.0], exact=True), "all differences are zero"),
        (mcnemar(0, 0), "no case changed its result"),
        (sign_flip([], []), "fewer than two guidelines"),
        (sign_flip([-1.0, -2.0], ["a", "a"]), "fewer than two guidelines"),
        (sign_flip([0.0, 1.0, -1.0], ["a", "b", "b"]), "the differences of every guideline add up to zero"),
        (mann_whitney([], [1.0, 2.0]), "fewer than two scores in a group"),
        (mann_whitney([5.0], [1.0]), "fewer than two scores in a group"),
        (mann_whitney([5.0, 5.0], [5.0, 5.0]), "all scores are equal"),
        (exact_mann_whitney([5.0, 6.0], [1.0, 2.0, 3.0]), "fewer than 3 models in a group"),
        (exact_mann_whitney([5.0] * 3, [5.0] * 3), "all scores are equal"),
        (kruskal([]), "fewer than two groups"),
        (kruskal([[1.0, 2.0]]), "fewer than two groups"),
        (kruskal([[1.0, 2.0], [NAN]]), "a group without scores"),
        (kruskal([[5.0, 5.0], [5.0]]), "all scores are equal"),
        (kruskal([[5.0], [6.0]]), "one score a group: nothing shows how much a group varies"),
    ],
)
def test_test_that_cannot_be_made_says_why(found: Test, reason: str) -> None:
    assert (found.statistic, found.p, found.reason) == (None, None, reason)


def test_effects_that_exist_are_kept_where_the_test_is_not() -> None:
    assert wilcoxon([0.0, 0.0]).effects == {"mean": 0.0, "hodges_lehmann": 0.0, "rank_biserial": None, "d_z": None}
    assert wilcoxon([]).effects == {"mean": None, "hodges_lehmann": None, "rank_biserial": None, "d_z": None}
    assert exact_mann_whitney([5.0, 6.0], [1.0, 2.0]).effects["cliffs_delta"] == 1.0


@pytest.mark.parametrize(
    "figure",
    [
        hodges_lehmann([]),
        hodges_lehmann([NAN]),
        rank_biserial([0.0, 0.0]),
        standardised_difference([1.0]),
        standardised_difference([1.0, 1.0]),
        cohen_d([1.0], [2.0, 3.0]),
        cohen_d([4.0, 4.0], [4.0, 4.0]),
        cliffs_delta([], [1.0]),
        instruments.pearson([1.0, 2.0], [1.0, 2.0]),
        instruments.spearman([3.0, 3.0, 3.0], [1.0, 2.0, 3.0]),
        instruments.spearman([], []),
        instruments.quadratic_kappa([], []),
        instruments.quadratic_kappa([4.0, 4.0], [4.0, 4.0]),
        instruments.krippendorff(np.empty((0, 2))),
        instruments.krippendorff([[1.0, NAN], [NAN, 2.0]]),
        instruments.krippendorff([[4.0, 4.0], [4.0, 4.0]], "interval"),
        instruments.spearman_brown(None, 2),
        instruments.spearman_brown(-1.0, 2),
        instruments.standard_error_of_measurement(None, 0.8),
        instruments.standard_error_of_measurement(2.0, None),
        instruments.standard_error_of_measurement(2.0, -0.1),
        icc_oneway([1.0, 2.0], ["a", "a"]),
        icc_oneway([1.0, 2.0], ["a", "b"]),
        icc_oneway([1.0, 1.0, 1.0], ["a", "a", "b"]),
        icc_oneway([], []),
    ],
)
def test_figure_that_cannot_be_had_is_none(figure: float | None) -> None:
    assert figure is None


@pytest.mark.parametrize("table", [np.empty((0, 2)), [[5.0, 6.0]], [[5.0], [6.0]], [[5.0, 5.0]] * 3, [[NAN, 5.0]] * 3])
def test_icc_of_too_little_is_none(table: Any) -> None:
    assert instruments.icc(table) == (None, None)


def test_judges_that_agree_only_on_average_are_no_instrument() -> None:
    """Their disagreement is all there is: the coefficients are low, not missing."""
    single, mean = instruments.icc([[9.0, 1.0], [1.0, 9.0], [5.0, 5.0]])
    assert single is not None
    assert single < 0
    assert mean is None or mean < 0
    assert instruments.standard_error_of_measurement(2.0, 0.75) == 1.0


@pytest.mark.parametrize("rule", [holm, bonferroni, benjamini_hochberg])
def test_tests_without_a_p_value_do_not_count(rule: Any) -> None:
    assert rule([]) == []
    assert rule([None, None]) == [None, None]
    assert rule([None, 0.03]) == [None, 0.03]
    with pytest.raises(ValueError, match="between 0 and 1"):
        rule([1.2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cluster_t([1.0, 2.0], ["a"]), "2 values need as many clusters, got 1"),
        (lambda: cluster_t([float("inf")], ["a"]), "infinite values"),
        (lambda: cluster_t([[1.0]], [["a"]]), "one row of values"),
        (lambda: bootstrap_share([0.5], ["a"]), "values of 0 or 1"),
        (lambda: wilson(3, 2), "3 of 2 is no share"),
        (lambda: friedman([1.0, 2.0]), "a table of cases x turns"),
        (lambda: instruments.icc([1.0, 2.0]), "a table of turns x judges"),
        (lambda: detectable_margin(67, -1.0), "standard deviation must be 0 or more"),
        (lambda: detectable_margin(67, 2.0, power=1.0), "power must lie between 0 and 1"),
        (lambda: detectable_margin(67, 2.0, clusters=1), "at least two guidelines"),
        (lambda: detectable_margin(0, 2.0), "at least one case"),
    ],
)
def test_nonsense_is_refused_in_words(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_differences_without_spread_show_any_margin() -> None:
    assert detectable_margin(2, 0.0) == 0.0
    assert achieved_power(10, 0.3, 0.0) == 1.0
    assert achieved_power(10, 0.3, 0.0, true_drop=0.4) == 0.0
    assert achieved_power(10, 0.3, 0.0, span=9.0) == 0.0, "ten equal cases do not show that all are equal"
