"""The statistics against independent implementations, on random scores with ties and gaps."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jmedethic_pytest.stats import agreement as instruments
from jmedethic_pytest.stats import intervals, resampling
from jmedethic_pytest.stats.multiplicity import benjamini_hochberg, bonferroni, holm
from jmedethic_pytest.stats.paired import friedman, hodges_lehmann, mcnemar, sign_flip, wilcoxon
from jmedethic_pytest.stats.power import icc_oneway
from jmedethic_pytest.stats.ranks import average_ranks, rank_sum, row_ranks, signed_ranks
from jmedethic_pytest.stats.sample import sample
from jmedethic_pytest.stats.unpaired import cliffs_delta, cohen_d, exact_mann_whitney, kruskal, mann_whitney
from support.lazy import Lazy

stats, sm = Lazy("scipy.stats"), Lazy("statsmodels.api")
krippendorff, pingouin = Lazy("krippendorff"), Lazy("pingouin")
contingency, raters = Lazy("statsmodels.stats.contingency_tables"), Lazy("statsmodels.stats.inter_rater")
multitest, proportion = Lazy("statsmodels.stats.multitest"), Lazy("statsmodels.stats.proportion")

SEEDS = range(5)
NEARLY = 1e-9


def scores(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).integers(2, 21, size=shape) / 2


def pingouin_icc(table: Any) -> Any:
    """Return pingouin's coefficients by name, for rows of targets and columns of raters."""
    long = pd.DataFrame(table).melt(ignore_index=False, var_name="rater", value_name="score").reset_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas is out of date
        found = pingouin.intraclass_corr(long, targets="index", raters="rater", ratings="score")
    return found.set_index("Type")["ICC"]


def groups(seed: int, n: int, number: int = 9) -> Any:
    """Clusters of unequal size."""
    return np.array([f"g{index}" for index in np.random.default_rng(seed + 99).integers(0, number, n)], dtype=object)


@pytest.mark.parametrize("seed", SEEDS)
def test_cluster_t_is_the_regression_on_a_constant_of_statsmodels(seed: int) -> None:
    values, numbers = scores(seed, 60), np.random.default_rng(seed).permutation(60) % 12
    fit = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": numbers}, use_t=True)
    found = intervals.cluster_t(values, numbers)
    assert [found.value, found.low, found.high] == pytest.approx([fit.params[0], *fit.conf_int()[0]], rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_unequal_clusters_are_those_of_bell_and_mccaffrey(seed: int) -> None:
    """Written out with matrices: residuals by (I - H)^(-1/2) of each cluster, degrees of freedom by Satterthwaite."""
    values, clusters = scores(seed, 60), groups(seed, 60)
    data = sample(values, clusters)
    hat = np.full((60, 60), 1 / 60)
    rest, error, rows = np.eye(60) - hat, 0.0, []
    for number in range(data.clusters):
        here = np.flatnonzero(data.cluster == number)
        size, vectors = np.linalg.eigh(rest[np.ix_(here, here)])
        adjusted = vectors @ np.diag(size**-0.5) @ vectors.T
        error += float((adjusted @ (rest @ values)[here]).sum()) ** 2 / 60**2
        rows.append(rest[:, here] @ adjusted @ np.ones(len(here)) / 60)
    spread = np.linalg.eigvalsh(np.array(rows) @ np.array(rows).T)
    assert intervals.standard_error(data) == pytest.approx(np.sqrt(error), rel=NEARLY)
    assert intervals.freedom(data) == pytest.approx(spread.sum() ** 2 / (spread**2).sum(), rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_cluster_t_of_single_cases_is_the_usual_t_interval(seed: int) -> None:
    values = scores(seed, 20)
    usual = stats.t.interval(0.9, 19, values.mean(), stats.sem(values))
    found = intervals.cluster_t(values, np.arange(20), 0.9)
    assert [found.low, found.high] == pytest.approx(usual, rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_medians_of_resamples_are_those_of_the_rows_drawn(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters are repeated as often as drawn, whatever the size of the blocks in which that is computed."""
    data = sample(scores(seed, 80), groups(seed, 80))
    weights = resampling.draws(data.clusters, 40, seed)
    expected = [np.median(np.repeat(data.values, row.astype(int)[data.cluster])) for row in weights]
    for chunk in (1, 100, 10**6):
        monkeypatch.setattr(intervals, "_CHUNK", chunk)
        assert np.concatenate(list(intervals._medians(data, weights))).tolist() == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_bootstrap_and_t_of_means_agree(seed: int) -> None:
    values, clusters = scores(seed, 200), groups(seed, 200, 30)
    fast = intervals.bootstrap_mean(values, clusters, resamples=20_000)
    robust = intervals.cluster_t(values, clusters)
    assert fast.value == robust.value
    assert [fast.low, fast.high] == pytest.approx([robust.low, robust.high], abs=0.1)


@pytest.mark.parametrize(("x", "n"), [(0, 5), (5, 5), (1, 67), (30, 67), (2228, 2345)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_of_statsmodels(x: int, n: int, level: float) -> None:
    found = intervals.wilson(x, n, level)
    assert [found.low, found.high] == pytest.approx(proportion.proportion_confint(x, n, 1 - level, "wilson"), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_friedman_of_scipy(seed: int) -> None:
    table = scores(seed, 30, 4)
    expected = stats.friedmanchisquare(*table.T)
    found = friedman(table)
    assert [found.statistic, found.p] == pytest.approx([expected.statistic, expected.pvalue], rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_wilcoxon_and_its_effects(seed: int) -> None:
    d = scores(seed, 25) - scores(seed + 50, 25)
    found = wilcoxon(d)
    expected = stats.wilcoxon(d, zero_method="pratt", method="asymptotic")
    assert [found.statistic, found.p] == pytest.approx([expected.statistic, expected.pvalue], rel=NEARLY)
    assert found.effects["rank_biserial"] == pytest.approx(pingouin.wilcoxon(d)["RBC"].iloc[0], rel=NEARLY)
    walsh = [(d[i] + d[j]) / 2 for i in range(25) for j in range(i, 25)]
    assert found.effects["hodges_lehmann"] == pytest.approx(np.median(walsh), rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_exact_wilcoxon(seed: int) -> None:
    """Of scipy without ties; with ties and zeros by trying all signs."""
    d = np.random.default_rng(seed).normal(0.4, 1.0, 14).round(5)
    assert wilcoxon(d, exact=True).p == pytest.approx(stats.wilcoxon(d, method="exact").pvalue, rel=NEARLY)
    d = np.round(d[:9])
    ranks = stats.rankdata(np.abs(d))[d != 0]
    all_sums = np.array([(ranks * signs).sum() for signs in product((-1, 1), repeat=len(ranks))])
    seen = (ranks * np.sign(d[d != 0])).sum()
    assert wilcoxon(d, exact=True).p == pytest.approx((np.abs(all_sums) >= abs(seen)).mean(), rel=NEARLY)


def test_hodges_lehmann_is_exact_far_beyond_what_can_be_listed() -> None:
    """20,001 values symmetric about 0.3 make 200 million pairs, and the median of their means is the centre."""
    half = np.random.default_rng(0).exponential(size=10_000).round(6)
    assert hodges_lehmann(np.concatenate((0.3 + half, 0.3 - half, [0.3]))) == pytest.approx(0.3, abs=1e-12)


@pytest.mark.parametrize(("new", "fixed"), [(9, 2), (2, 9), (5, 5), (0, 4), (40, 25)])
def test_mcnemar_of_scipy_and_statsmodels(new: int, fixed: int) -> None:
    found = mcnemar(new, fixed)
    assert found.p == pytest.approx(stats.binomtest(new, new + fixed, alternative="greater").pvalue, rel=NEARLY)
    assert found.effects["two_sided"] == pytest.approx(contingency.mcnemar([[1, new], [fixed, 1]]).pvalue, rel=NEARLY)


@pytest.mark.parametrize("clusters", [12, 40])
def test_sign_flip_of_scipy(clusters: int) -> None:
    """Exact for 12 clusters, random for 40."""
    d, names = scores(3, 200) - scores(4, 200) - 0.3, np.repeat(np.arange(clusters), 200 // clusters + 1)[:200]
    sums = np.array([d[names == name].sum() for name in range(clusters)])
    expected = stats.permutation_test(
        (sums,),
        np.sum,
        permutation_type="samples",
        alternative="less",
        n_resamples=40_000,
        rng=np.random.default_rng(1),
    )
    assert sign_flip(d, names).p == pytest.approx(expected.pvalue, rel=NEARLY if clusters == 12 else 0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_unpaired_tests(seed: int) -> None:
    x, y, z = scores(seed, 30), np.minimum(scores(seed + 1, 25) + 1, 10), scores(seed + 2, 30)
    found, expected = mann_whitney(x, y), stats.mannwhitneyu(x, y, method="asymptotic")
    assert [found.statistic, found.p] == pytest.approx([expected.statistic, expected.pvalue], rel=NEARLY)
    found, expected = kruskal([x, y, z]), stats.kruskal(x, y, z)
    assert [found.statistic, found.p] == pytest.approx([expected.statistic, expected.pvalue], rel=NEARLY)
    assert cliffs_delta(x, y) == pytest.approx(np.sign(x[:, None] - y).mean(), rel=NEARLY)
    assert cohen_d(x, z) == pytest.approx(pingouin.compute_effsize(x, z, eftype="cohen"), rel=NEARLY)


@pytest.mark.parametrize(("x", "y"), [([1, 2, 3], [4, 5, 6]), ([8.2, 7.9, 6.5, 9.1], [5.4, 4.5, 7.0])])
def test_exact_mann_whitney_of_scipy(x: list[float], y: list[float]) -> None:
    assert exact_mann_whitney(x, y).p == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue, rel=NEARLY)


def test_exact_mann_whitney_with_ties_tries_all_divisions() -> None:
    """U is 1.5; of the 20 ways to divide {1, 2, 2, 3, 4, 5} into threes, 6 lie as far from 4.5."""
    assert exact_mann_whitney([1, 2, 3], [2, 4, 5]).p == pytest.approx(6 / 20)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("rule", "name"), [(holm, "holm"), (bonferroni, "bonferroni"), (benjamini_hochberg, "fdr_bh")])
def test_adjustments_of_statsmodels(seed: int, rule: Any, name: str) -> None:
    ps = np.random.default_rng(seed).beta(0.3, 3, 12).round(3).tolist()
    assert rule(ps) == pytest.approx(multitest.multipletests(ps, method=name)[1].tolist(), rel=NEARLY)
    gaps = [None, *ps[:5], None, *ps[5:]]
    assert [p for p in rule(gaps) if p is not None] == rule(ps)
    assert [index for index, p in enumerate(rule(gaps)) if p is None] == [0, 6]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("judges", [2, 3])
def test_icc_of_pingouin(seed: int, judges: int) -> None:
    true = scores(seed, 20)
    table = np.column_stack([np.clip(true + np.round(scores(seed + j, 20) / 4), 1, 10) for j in range(judges)])
    rows = pingouin_icc(table)
    assert instruments.icc(table) == pytest.approx((rows["ICC(A,1)"], rows["ICC(A,k)"]), rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_quadratic_kappa_of_statsmodels(seed: int) -> None:
    x, y = np.random.default_rng(seed).integers(1, 11, size=(2, 50))
    y = np.where(y > 5, x, y)
    counts = np.zeros((10, 10))
    np.add.at(counts, (x - 1, y - 1), 1)
    expected = raters.cohens_kappa(counts, wt="quadratic", return_results=False)
    assert instruments.quadratic_kappa(x, y) == pytest.approx(expected, rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("metric", ["ordinal", "interval"])
def test_alpha_of_the_krippendorff_package(seed: int, metric: Any) -> None:
    """Three judges, half points, a third of the scores missing."""
    table = np.clip(scores(seed, 40, 1) + np.round(scores(seed + 1, 40, 3) / 3), 1, 12)
    table[np.random.default_rng(seed).random(table.shape) < 0.33] = np.nan
    expected = krippendorff.alpha(reliability_data=table.T, level_of_measurement=metric)
    assert instruments.krippendorff(table, metric) == pytest.approx(expected, rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_correlations_of_scipy(seed: int) -> None:
    x, y = scores(seed, 40), scores(seed + 1, 40)
    assert instruments.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, rel=NEARLY)
    assert instruments.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, rel=NEARLY)


@pytest.mark.parametrize("seed", SEEDS)
def test_oneway_icc_of_pingouin(seed: int) -> None:
    values = scores(seed, 12, 1) + scores(seed + 1, 12, 5) / 3
    found = icc_oneway(values.reshape(-1), np.repeat(np.arange(12), 5))
    assert found == pytest.approx(pingouin_icc(values)["ICC(1,1)"], rel=1e-6)


GRID = st.integers(2, 20).map(lambda half: half / 2)


@given(st.lists(GRID, min_size=1, max_size=60))
def test_ranks_of_scipy(values: list[float]) -> None:
    assert average_ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()


@given(st.lists(st.tuples(GRID, GRID, GRID), min_size=1, max_size=30))
def test_ranks_within_rows_of_scipy(rows: list[tuple[float, ...]]) -> None:
    assert row_ranks(np.array(rows)).tolist() == stats.rankdata(rows, axis=1).tolist()


@given(st.lists(st.integers(-10, 10).map(lambda half: half / 2), min_size=2, max_size=60).filter(any))
def test_signed_ranks_of_scipy(differences: list[float]) -> None:
    expected = stats.wilcoxon(differences, zero_method="pratt", method="asymptotic")
    assert signed_ranks(np.array(differences)) == pytest.approx((expected.statistic, expected.pvalue), rel=NEARLY)


@given(st.lists(GRID, min_size=2, max_size=40), st.lists(GRID, min_size=2, max_size=40))
def test_rank_sums_of_scipy(x: list[float], y: list[float]) -> None:
    assume(len({*x, *y}) > 1)
    expected = stats.mannwhitneyu(x, y, method="asymptotic")
    assert rank_sum(np.array(x), np.array(y)) == pytest.approx((expected.statistic, expected.pvalue), rel=NEARLY)
