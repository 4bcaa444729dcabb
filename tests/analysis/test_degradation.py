"""What is lost from turn to turn, against figures computed elsewhere and against those the paper prints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jmedethic_pytest.analysis.degradation import PAPER, degradation, steps
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.stats.intervals import cluster_t

GRID = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0]
MARGINALS = {
    "T0": [
        0.00811,
        0.01028,
        0.0124,
        0.01435,
        0.01597,
        0.01707,
        0.01746,
        0.01704,
        0.01585,
        0.01423,
        0.01291,
        0.01318,
        0.0171,
        0.02757,
        0.04847,
        0.08459,
        0.14141,
        0.21598,
        0.29602,
    ],
    "T1": [
        0.08936,
        0.07485,
        0.05846,
        0.03933,
        0.02049,
        0.01181,
        0.01512,
        0.02687,
        0.04069,
        0.04967,
        0.04868,
        0.03667,
        0.01929,
        0.01167,
        0.02018,
        0.04516,
        0.08327,
        0.1295,
        0.17894,
    ],
    "T2": [
        0.15538,
        0.12003,
        0.08598,
        0.05533,
        0.03044,
        0.01343,
        0.00563,
        0.00691,
        0.01487,
        0.024,
        0.02464,
        0.02091,
        0.01725,
        0.01791,
        0.02639,
        0.04494,
        0.07396,
        0.11119,
        0.15081,
    ],
}
"""Smooth distributions with the quartiles, means and effect sizes that the paper prints or draws; not its data."""


def test_golden_steps(golden: list[Verdict]) -> None:
    found = degradation(ScoreTable(golden).frame())
    assert (found.turns, found.n) == (("T0", "T1", "T2"), 12)
    assert found.omnibus.statistic == pytest.approx(13.829787234042543)
    assert found.omnibus.p == pytest.approx(0.0009928870793805083)
    assert found.omnibus.effects["kendall_w"] == pytest.approx(0.5762411347517726)
    expected = {  # Wilcoxon p (Pratt), Holm, rank-biserial, d_z, Hodges-Lehmann; Mann-Whitney p, Cohen's d
        ("T0", "T1"): (
            0.0028093057505008405,
            0.008427917251502522,
            0.9743589743589743,
            1.3909432087690703,
            2.5,
            0.001748546601509229,
            1.66155292651593,
        ),
        ("T1", "T2"): (
            0.020269366451293964,
            0.020269366451293964,
            0.8181818181818182,
            0.9428090415820635,
            2.125,
            0.16465849858898363,
            0.702137592555442,
        ),
        ("T0", "T2"): (
            0.0017920611887025132 * 2,
            0.008427917251502522,
            0.9487179487179487,
            1.3569218725335832,
            4.5,
            0.0025136492060979488,
            1.8037316448551124,
        ),
    }
    assert {(step.first, step.second) for step in found.steps} == set(expected)
    for pair, (p, holm, biserial, d_z, shift, paper_p, paper_d) in expected.items():
        step = found.step(*pair)
        assert step is not None
        assert step.paired.p == pytest.approx(p)
        assert (step.paired.p_adjusted, step.paired.adjustment) == (pytest.approx(holm), "Holm")
        effects = step.paired.effects
        assert (effects["rank_biserial"], effects["d_z"]) == (pytest.approx(biserial), pytest.approx(d_z))
        assert effects["hodges_lehmann"] == pytest.approx(shift)
        assert step.unpaired.p == pytest.approx(paper_p)
        assert (step.unpaired.p_adjusted, step.unpaired.adjustment) == (
            pytest.approx(min(1, 3 * paper_p)),
            "Bonferroni",
        )
        assert step.unpaired.effects["cohen_d"] == pytest.approx(paper_d)
    assert found.paper == PAPER == "unpaired, as published"


def test_difference_is_clustered_by_guideline(golden: list[Verdict]) -> None:
    step = degradation(ScoreTable(golden).frame()).step("T0", "T2")
    differences = [(item.turn_scores[0] or 0) - (item.turn_scores[2] or 0) for item in golden]
    assert step is not None
    assert step.difference == cluster_t(differences, [item.case.guideline for item in golden])


def test_figures_the_paper_prints() -> None:
    """Medians 9.5 / 6.5 / 5.5, d 0.75 and 0.24, all p < 0.001, and a loss of 42.1 % of the median."""
    n = 2345
    points = (np.arange(n) + 0.5) / n
    columns = [np.array(GRID)[np.searchsorted(np.cumsum(p) / np.sum(p), points)] for p in MARGINALS.values()]
    matrix = np.column_stack(columns)
    assert np.median(matrix, axis=0).tolist() == [9.5, 6.5, 5.5]
    found = {(s.first, s.second): s.unpaired for s in steps(matrix, list(MARGINALS), np.arange(n) % 67)}
    assert round(found["T0", "T1"].effects["cohen_d"] or 0, 2) == 0.75
    assert round(found["T1", "T2"].effects["cohen_d"] or 0, 2) == 0.24
    assert all(test.p_adjusted is not None and test.p_adjusted < 0.001 for test in found.values())
    rows = ScoreTable().frame()
    assert degradation(rows).mtsd is None
    assert round(100 * (9.5 - 5.5) / 9.5, 1) == 42.1


def test_share_of_the_median_that_is_lost(verdict: Callable[..., Verdict]) -> None:
    verdicts = [verdict(f"ja-{n}", [(10, 9), (7, 6), (5, 6)]) for n in range(3)]
    assert degradation(ScoreTable(verdicts).frame()).mtsd == pytest.approx(4 / 9.5)


def test_repetitions_count_as_one_conversation(verdict: Callable[..., Verdict]) -> None:
    verdicts = [
        verdict(f"ja-{n}", [(9, 9), (5 + repeat, 5 + repeat)], repeat=repeat, guideline=f"JMA-{n + 1:02d}")
        for n in range(4)
        for repeat in range(3)
    ]
    found = degradation(ScoreTable(verdicts).frame())
    assert found.n == 4
    assert found.steps[0].difference.value == pytest.approx(3.0)
    assert found.steps[0].difference.n == 4


def test_few_longer_conversations_do_not_empty_the_table(verdict: Callable[..., Verdict]) -> None:
    short = [verdict(f"ja-s{n}", [(9, 9), (7, 7), (5, 5)]) for n in range(8)]
    long = [verdict(f"ja-l{n}", [(9, 9), (7, 7), (5, 5), (3, 3)]) for n in range(2)]
    found = degradation(ScoreTable([*short, *long]).frame())
    assert (found.turns, found.n) == (("T0", "T1", "T2"), 10)


def test_missing_scores_leave_a_pair_out(verdict: Callable[..., Verdict]) -> None:
    verdicts = [
        verdict("ja-a", [(9, 9), (5, 5)]),
        verdict("ja-b", [(9, 9), (5, None)]),
        verdict("ja-c", [(9, 9), (6, 6)]),
    ]
    step = degradation(ScoreTable(verdicts).frame()).steps[0]
    assert step.pairs == 2
    assert step.difference.value == pytest.approx(3.5)
