"""Every statistic against the value that independent software printed for the same small data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.stats import agreement as instruments
from jmedethic_pytest.stats.intervals import cluster_t, standard_error, wilson
from jmedethic_pytest.stats.multiplicity import benjamini_hochberg, bonferroni, holm
from jmedethic_pytest.stats.paired import friedman, mcnemar, sign_flip, wilcoxon
from jmedethic_pytest.stats.power import icc_oneway
from jmedethic_pytest.stats.sample import sample
from jmedethic_pytest.stats.unpaired import cliffs_delta, cohen_d, mann_whitney

NEARLY = 1e-12
Golden = dict[str, Any]


def panel(golden: Golden) -> Any:
    return np.array(golden["judges"], dtype=float).mean(axis=0)


def clusters(golden: Golden) -> tuple[Any, Any]:
    table = np.array(golden["clusters"]["differences"])
    return table.reshape(-1), np.repeat([f"JMA-{number:02}" for number in range(len(table))], table.shape[1])


def test_friedman(golden: Golden) -> None:
    found, expected = friedman(panel(golden)), golden["friedman"]
    assert found.statistic == pytest.approx(expected["chi2"], rel=NEARLY)
    assert found.p == pytest.approx(expected["p"], rel=NEARLY)
    assert found.effects["kendall_w"] == pytest.approx(expected["kendall_W"], rel=NEARLY)
    assert found.n == 12


@pytest.mark.parametrize("number", range(3))
def test_paired_turns(golden: Golden, number: int) -> None:
    expected = golden["pairs"][number]
    first, second = (panel(golden)[:, turn] for turn in expected["turns"])
    found = wilcoxon(first - second)
    assert found.statistic == expected["wilcoxon"]["T"]
    assert found.p == pytest.approx(expected["wilcoxon"]["p"], rel=NEARLY)
    for name in ("rank_biserial", "d_z", "mean", "hodges_lehmann"):
        assert found.effects[name] == pytest.approx(expected[name], rel=NEARLY), name


@pytest.mark.parametrize("number", range(3))
def test_unpaired_turns(golden: Golden, number: int) -> None:
    expected = golden["pairs"][number]
    first, second = (panel(golden)[:, turn] for turn in expected["turns"])
    found = mann_whitney(first, second)
    assert found.statistic == expected["mann_whitney"]["U"]
    assert found.p == pytest.approx(expected["mann_whitney"]["p"], rel=NEARLY)
    assert found.effects == {"cohen_d": cohen_d(first, second), "cliffs_delta": cliffs_delta(first, second)}
    assert cohen_d(first, second) == pytest.approx(expected["cohen_d"], rel=NEARLY)
    assert cliffs_delta(first, second) == pytest.approx(expected["cliffs_delta"], rel=NEARLY)


@pytest.mark.parametrize("rule", [holm, bonferroni, benjamini_hochberg])
def test_adjusted_p_values(golden: Golden, rule: Any) -> None:
    ps = [pair["wilcoxon"]["p"] for pair in golden["pairs"]]
    assert rule(ps) == pytest.approx(golden["adjusted"][rule.__name__], rel=NEARLY)


def test_agreement_of_the_judges(golden: Golden) -> None:
    expected = golden["agreement"]
    x, y = (np.array(judge, dtype=float).reshape(-1) for judge in golden["judges"])
    matrix = np.column_stack([x, y])
    found = {
        "icc21": instruments.icc(matrix)[0],
        "icc2k": instruments.icc(matrix)[1],
        "quadratic_kappa": instruments.quadratic_kappa(x, y),
        "ordinal": instruments.krippendorff(matrix, "ordinal"),
        "interval": instruments.krippendorff(matrix, "interval"),
        "pearson": instruments.pearson(x, y),
        "spearman": instruments.spearman(x, y),
        "within_2": instruments.agreement(x, y).within_2,
        "mean_absolute_difference": instruments.agreement(x, y).mean_absolute_difference,
    }
    assert found == pytest.approx(expected, rel=NEARLY)


def test_spearman_brown(golden: Golden) -> None:
    for row in golden["spearman_brown"]:
        assert instruments.spearman_brown(row["r"], row["k"]) == pytest.approx(row["reliability"], rel=NEARLY)


@pytest.mark.parametrize("number", range(4))
def test_mcnemar(golden: Golden, number: int) -> None:
    expected = golden["mcnemar"][number]
    found = mcnemar(expected["new"], expected["fixed"])
    assert found.p == pytest.approx(expected["p"], rel=NEARLY)
    assert found.effects["two_sided"] == pytest.approx(expected["two_sided"], rel=NEARLY)
    assert found.effects["mid_p"] == pytest.approx(expected["mid_p"], rel=NEARLY)
    assert (found.statistic, found.n) == (expected["new"], expected["new"] + expected["fixed"])


@pytest.mark.parametrize("number", range(3))
def test_wilson(golden: Golden, number: int) -> None:
    expected = golden["wilson"][number]
    found = wilson(expected["x"], expected["n"])
    assert found.value == expected["x"] / expected["n"]
    assert [found.low, found.high] == pytest.approx(expected["interval"], rel=NEARLY)


def test_clustered_mean(golden: Golden) -> None:
    expected = golden["clusters"]
    found = cluster_t(*clusters(golden))
    assert found.value == pytest.approx(expected["mean"], rel=NEARLY)
    assert [found.low, found.high] == pytest.approx(expected["interval"], rel=NEARLY)
    assert (found.n, found.clusters, found.method, found.reason) == (24, 6, "cluster t", "")
    error = standard_error(sample(*clusters(golden)))
    assert error == pytest.approx(expected["se"], rel=NEARLY)
    assert error * (5 / 6) ** 0.5 == pytest.approx(expected["se_without_correction"], rel=NEARLY)


def test_clustered_extras(golden: Golden) -> None:
    expected = golden["clusters"]
    assert icc_oneway(*clusters(golden)) == pytest.approx(expected["icc"], rel=NEARLY)
    found = sign_flip(*clusters(golden))
    assert found.p == expected["sign_flip"]  # 5 of 64 patterns
    assert found.statistic == pytest.approx(expected["mean"], rel=NEARLY)
