"""What must hold for any scores."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats import agreement as instruments
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import bootstrap_mean, bootstrap_median, bootstrap_share, cluster_t, wilson
from jmedethic_pytest.stats.multiplicity import benjamini_hochberg, bonferroni, holm
from jmedethic_pytest.stats.paired import friedman, hodges_lehmann, mcnemar, sign_flip, wilcoxon
from jmedethic_pytest.stats.power import achieved_power, detectable_margin, icc_oneway
from jmedethic_pytest.stats.skewed import cluster_t_skewed
from jmedethic_pytest.stats.unpaired import cliffs_delta, cohen_d, exact_mann_whitney, kruskal, mann_whitney

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=40)
score = st.integers(2, 20).map(lambda doubled: doubled / 2)
difference = st.integers(-54, 54).map(lambda sixths: sixths / 6)
gap = st.one_of(st.just(float("nan")), difference)
cases = st.lists(st.tuples(difference, st.integers(0, 8)), min_size=2, max_size=40)
gappy_cases = st.lists(st.tuples(gap, st.integers(0, 8)), max_size=30)
probability = st.floats(0, 1, allow_nan=False)


def columns(rows: list[tuple[float, int]]) -> tuple[Any, Any]:
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=int)


def ends(found: Estimate) -> list[float | None]:
    return [found.value, found.low, found.high]


def alike(found: Any, expected: Any) -> bool:
    """Return whether numbers, or lists of them, are equal but for rounding; ``None`` equals only ``None``."""
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= 1e-9 * max(1.0, abs(expected))


def quick_median(values: Any, clusters: Any) -> Estimate:
    return bootstrap_median(values, clusters, resamples=100)


def quick_mean(values: Any, clusters: Any) -> Estimate:
    return bootstrap_mean(values, clusters, resamples=100)


INTERVALS = [cluster_t, cluster_t_skewed, quick_mean, quick_median]


@pytest.mark.parametrize("interval", INTERVALS)
@STEADY
@given(rows=cases, order=st.randoms(use_true_random=False))
def test_order_of_cases_does_not_matter(interval: Any, rows: list[Any], order: Any) -> None:
    mixed = rows.copy()
    order.shuffle(mixed)
    assert alike(ends(interval(*columns(mixed))), ends(interval(*columns(rows))))


@pytest.mark.parametrize("interval", INTERVALS)
@STEADY
@given(rows=cases, shift=difference)
def test_shift_of_all_scores_shifts_the_estimate_and_its_interval(interval: Any, rows: list[Any], shift: float) -> None:
    values, clusters = columns(rows)
    plain, shifted = interval(values, clusters), interval(values + shift, clusters)
    assert alike(ends(shifted), [None if end is None else end + shift for end in ends(plain)])
    assert shifted.reason == plain.reason


@pytest.mark.parametrize("interval", [cluster_t, cluster_t_skewed])
@STEADY
@given(rows=cases)
def test_swapping_the_models_mirrors_the_difference(interval: Any, rows: list[Any]) -> None:
    values, clusters = columns(rows)
    there, back = interval(values, clusters), interval(-values, clusters)
    assert alike(ends(back), [None if end is None else -end for end in (there.value, there.high, there.low)])


@pytest.mark.parametrize("interval", INTERVALS)
@STEADY
@given(rows=gappy_cases)
def test_missing_values_are_left_out_and_counted_out(interval: Any, rows: list[Any]) -> None:
    values, clusters = columns(rows)
    there = ~np.isnan(values)
    assert interval(values, clusters) == interval(values[there], clusters[there])
    assert interval(values, clusters).n == there.sum()


@STEADY
@given(rows=cases)
def test_correction_for_skewness_only_lengthens(rows: list[Any]) -> None:
    plain, corrected = cluster_t(*columns(rows)), cluster_t_skewed(*columns(rows))
    assert corrected.value == plain.value
    if plain.low is not None and plain.high is not None:
        assert corrected.low is not None
        assert corrected.high is not None
        assert corrected.low <= plain.low + 1e-12
        assert corrected.high >= plain.high - 1e-12


@STEADY
@given(values=st.lists(difference, min_size=3, max_size=40).filter(lambda values: len(set(values)) > 1))
def test_a_case_like_the_mean_never_widens_the_naive_interval(values: list[float]) -> None:
    """Naive: every case is a cluster of its own. Nor does having every case twice."""

    def width(found: Estimate) -> float:
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    before = width(cluster_t(values, np.arange(len(values))))
    for more in ([*values, float(np.mean(values))], values * 2):
        assert width(cluster_t(more, np.arange(len(more)))) < before
    twice = cluster_t(values * 2, [*range(len(values))] * 2)
    assert width(twice) == pytest.approx(before), "repetitions of the same cases are no new evidence"


@STEADY
@given(marks=st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40))
def test_shares_stay_between_none_and_all(marks: list[tuple[bool, int]]) -> None:
    found = bootstrap_share([mark for mark, _ in marks], [cluster for _, cluster in marks], resamples=100)
    assert found.value == pytest.approx(np.mean([mark for mark, _ in marks]))
    if found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1
        assert found.high > found.low, "certainty is never claimed"


@STEADY
@given(n=st.integers(1, 3000), part=probability, effect=st.floats(1, 20))
def test_wilson_holds_the_share_mirrors_and_widens_with_dependence(n: int, part: float, effect: float) -> None:
    successes = round(part * n)
    found, other = wilson(successes, n), wilson(n - successes, n)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= successes / n <= found.high <= 1
    assert alike([other.low, other.high], [1 - found.high, 1 - found.low])
    wider = wilson(successes, n, design_effect=effect)
    assert wider.low is not None
    assert wider.high is not None
    assert wider.low <= found.low + 1e-12
    assert wider.high >= found.high - 1e-12


@STEADY
@given(d=st.lists(difference, min_size=2, max_size=30), order=st.randoms(use_true_random=False))
@pytest.mark.parametrize("exact", [False, True])
def test_wilcoxon_mirrors_and_knows_no_order(d: list[float], order: Any, exact: bool) -> None:
    there, back = wilcoxon(d, exact=exact), wilcoxon([-value for value in d], exact=exact)
    assert alike(there.p, back.p)
    for name, effect in there.effects.items():
        assert alike(back.effects[name], None if effect is None else -effect), name
    mixed = d.copy()
    order.shuffle(mixed)
    assert alike(wilcoxon(mixed, exact=exact).p, there.p)
    assert there.p is None or 0 < there.p <= 1


@STEADY
@given(d=st.lists(difference, min_size=1, max_size=25), shift=difference)
def test_hodges_lehmann_is_the_median_of_all_pairs_and_shifts(d: list[float], shift: float) -> None:
    rounded = np.round(d, 6)
    walsh = [(rounded[i] + rounded[j]) / 2 for i in range(len(d)) for j in range(i, len(d))]
    found = hodges_lehmann(d)
    assert found == pytest.approx(np.median(walsh), abs=1e-9)
    assert hodges_lehmann(np.array(d) + shift) == pytest.approx(found + shift, abs=3e-6)
    assert min(d) - 1e-6 <= found <= max(d) + 1e-6


@STEADY
@given(table=st.lists(st.tuples(score, score, score), min_size=2, max_size=30), shift=difference)
def test_friedman_sees_orders_within_cases_only(table: list[Any], shift: float) -> None:
    matrix = np.array(table)
    found = friedman(matrix)
    assert friedman(matrix[::-1] + shift) == found
    assert alike(friedman(matrix + np.arange(len(matrix))[:, None]).p, found.p)
    assert alike(friedman(matrix[:, [2, 0, 1]]).p, found.p)
    w = found.effects.get("kendall_w")
    assert (w is None) == (found.p is None)
    assert w is None or -1e-9 <= w <= 1 + 1e-9


@STEADY
@given(new=st.integers(0, 60), fixed=st.integers(0, 60))
def test_mcnemar_mirrors_and_grows_with_new_failures(new: int, fixed: int) -> None:
    there, back = mcnemar(new, fixed), mcnemar(fixed, new)
    assert there.effects == pytest.approx(back.effects)
    if there.p is not None:
        more = mcnemar(new + 1, fixed).p
        assert more is not None
        assert more <= there.p
        mid_p, two_sided = there.effects["mid_p"], there.effects["two_sided"]
        assert mid_p is not None
        assert two_sided is not None
        assert 0 < mid_p <= two_sided <= 1


@STEADY
@given(rows=cases)
def test_sign_flips_count_drops_only(rows: list[Any]) -> None:
    values, clusters = columns(rows)
    there, back = sign_flip(values, clusters), sign_flip(-values, clusters)
    assert sign_flip(values[::-1], clusters[::-1]).p == there.p
    if there.p is not None and back.p is not None:
        assert there.p + back.p >= 1 - 1e-12, "one of the two directions is not significant"
        lower = sign_flip(values - 10, clusters).p
        assert lower is not None
        assert lower <= there.p


@settings(STEADY, max_examples=15)
@given(x=st.lists(score, min_size=3, max_size=5), y=st.lists(score, min_size=3, max_size=5))
@pytest.mark.parametrize("test", [mann_whitney, exact_mann_whitney])
def test_unpaired_tests_mirror(test: Any, x: list[float], y: list[float]) -> None:
    there, back = test(x, y), test(y, x)
    assert alike(there.p, back.p)
    assert there.p is None or 0 < there.p <= 1
    for name, effect in there.effects.items():
        assert alike(back.effects[name], None if effect is None else -effect), name
    delta = cliffs_delta(x, y)
    assert delta is not None
    assert -1 <= delta <= 1
    if there.statistic is not None:
        assert delta == pytest.approx(2 * there.statistic / (len(x) * len(y)) - 1)
    assert kruskal([x, y]).p == kruskal([x[::-1], y]).p


@STEADY
@given(x=st.lists(score, min_size=2, max_size=10), y=st.lists(score, min_size=2, max_size=10), shift=difference)
def test_effect_sizes_ignore_a_common_shift(x: list[float], y: list[float], shift: float) -> None:
    a, b = np.array(x), np.array(y)
    assert alike(cohen_d(a + shift, b + shift), cohen_d(a, b))
    assert cliffs_delta(3 * a, 3 * b) == cliffs_delta(a, b)


@STEADY
@given(ps=st.lists(st.one_of(st.none(), probability), max_size=12))
def test_adjusted_p_values_keep_order_and_bounds(ps: list[float | None]) -> None:
    for rule in (holm, bonferroni, benjamini_hochberg):
        adjusted = rule(ps)
        assert [p is None for p in adjusted] == [p is None for p in ps]
        known = sorted((p, q) for p, q in zip(ps, adjusted, strict=True) if p is not None and q is not None)
        assert all(p <= q + 1e-15 and q <= 1 for p, q in known)
        assert all(before[1] <= after[1] + 1e-15 for before, after in pairwise(known))
    for low, middle, high in zip(benjamini_hochberg(ps), holm(ps), bonferroni(ps), strict=True):
        assert low is None or low <= middle + 1e-15 <= high + 2e-15


@STEADY
@given(table=st.lists(st.tuples(score, score), min_size=3, max_size=25), shift=difference)
def test_agreement_knows_neither_rows_nor_judges_by_place(table: list[Any], shift: float) -> None:
    matrix = np.array(table)
    for same in (matrix[::-1], matrix[:, ::-1], matrix + shift):
        assert alike(instruments.krippendorff(same), instruments.krippendorff(matrix))
        assert alike(instruments.krippendorff(same, "interval"), instruments.krippendorff(matrix, "interval"))
        assert alike(instruments.icc(same), instruments.icc(matrix))
    x, y = matrix.T
    kappa = instruments.quadratic_kappa(x, y)
    assert alike(instruments.quadratic_kappa(y, x), kappa)
    assert kappa is None or -1 - 1e-9 <= kappa <= 1 + 1e-9
    assert instruments.quadratic_kappa(x, x) in (None, 1.0)
    assert alike(instruments.spearman(x, y), instruments.spearman(x**3, y**3))


@STEADY
@given(rows=cases)
def test_intra_cluster_correlation_is_at_most_one(rows: list[Any]) -> None:
    found = icc_oneway(*columns(rows))
    assert found is None or found <= 1 + 1e-9


@STEADY
@given(
    n=st.integers(2, 3000),
    sd=st.floats(0.1, 4),
    power=st.floats(0.5, 0.99),
    size=st.integers(1, 40),
    icc=st.floats(-0.1, 0.3),
    clusters=st.sampled_from([None, 8, 67]),
    span=st.sampled_from([0.0, 9.0]),
)
def test_margin_is_the_smallest_with_the_wanted_power_and_falls_with_the_cases(
    n: int, sd: float, power: float, size: int, icc: float, clusters: int | None, span: float
) -> None:
    known: dict[str, Any] = {"cluster_size": size, "icc": icc, "clusters": clusters, "span": span}
    margin = detectable_margin(n, sd, power=power, **known)
    assert achieved_power(n, margin, sd, **known) == pytest.approx(power, abs=1e-6)
    assert detectable_margin(n + 1, sd, power=power, **known) <= margin
    assert achieved_power(n, margin, sd, true_drop=margin, **known) <= 0.025 + 1e-9


def test_no_statistic_gives_a_number_that_is_none() -> None:
    """The records refuse what JSON has no word for only if nobody puts it there; so nobody may."""
    for found in (cluster_t([1.0], ["a"]), bootstrap_median([], []), wilcoxon([]), friedman(np.empty((0, 3)))):
        assert isinstance(found, Estimate | Test)
        assert "NaN" not in found.model_dump_json()
        assert "Infinity" not in found.model_dump_json()
