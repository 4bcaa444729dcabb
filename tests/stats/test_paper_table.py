"""The table of the paper's 22 models, and the made-up marginals, give the figures derived from them elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.stats.intervals import bootstrap_median
from jmedethic_pytest.stats.multiplicity import holm
from jmedethic_pytest.stats.paired import friedman, wilcoxon
from jmedethic_pytest.stats.unpaired import cohen_d, exact_mann_whitney, kruskal, mann_whitney

Models = list[dict[str, Any]]


def turns(models: Models, group: str | None = None) -> Any:
    return np.array([model["turns"] for model in models if group in (None, model["group"])])


@pytest.mark.parametrize(
    ("group", "number", "means"),
    [
        ("commercial", 8, (8.71, 7.40, 7.29)),
        ("open", 8, (8.38, 6.19, 5.65)),
        ("medical", 6, (7.92, 4.63, 2.47)),
        (None, 22, (8.38, 6.20, 5.38)),
    ],
)
def test_means_of_the_groups(models: Models, group: str | None, number: int, means: tuple[float, ...]) -> None:
    found = turns(models, group)
    assert len(found) == number
    assert found.mean(axis=0).round(2).tolist() == list(means)


def test_scores_need_not_fall_at_every_turn(models: Models) -> None:
    found = turns(models)
    assert (found[:, 1] < found[:, 0]).all()
    assert (found[:, 2] > found[:, 1]).sum() == 7


def test_turns_differ_if_they_are_paired(models: Models) -> None:
    found = friedman(turns(models))
    assert found.statistic == pytest.approx(21.4, abs=0.05)
    assert found.p == pytest.approx(2.3e-5, abs=0.05e-5)
    t0, t1, t2 = turns(models).T
    first, second = wilcoxon(t0 - t1, exact=True), wilcoxon(t1 - t2, exact=True)
    assert first.p == pytest.approx(4.8e-7, abs=0.05e-7)
    assert second.p == pytest.approx(0.0093, abs=0.00005)
    assert holm([first.p, second.p]) == pytest.approx([9.5e-7, 0.0093], rel=0.01)


def test_turns_that_are_not_paired_hide_the_second_loss(models: Models) -> None:
    _, t1, t2 = turns(models).T
    assert mann_whitney(t1, t2).p == pytest.approx(0.136, abs=0.0005)


@pytest.mark.parametrize(
    ("first", "second", "u", "p", "precision", "delta"),
    [
        ("commercial", "medical", 48.0, 0.00067, 0.000005, 1.0),
        ("open", "medical", 47.0, 0.0013, 0.00005, 0.958),
        ("commercial", "open", 44.0, 0.23, 0.005, 0.375),
    ],
)
def test_groups_of_models(
    models: Models, first: str, second: str, u: float, p: float, precision: float, delta: float
) -> None:
    found = exact_mann_whitney(turns(models, first).mean(axis=1), turns(models, second).mean(axis=1))
    assert found.statistic == u
    assert found.p == pytest.approx(p, abs=precision)
    assert found.effects["cliffs_delta"] == pytest.approx(delta, abs=0.0005)


def test_groups_differ_as_a_whole(models: Models) -> None:
    means = [turns(models, group).mean(axis=1) for group in ("commercial", "open", "medical")]
    found = kruskal(means)
    assert found.p is not None
    assert found.p < 0.01


def test_marginals_have_the_papers_medians_and_effect_sizes(marginals: dict[str, Any]) -> None:
    grid = np.array(marginals["grid"])
    scores = [np.repeat(grid, np.rint(np.array(turn) * 20_000).astype(int)) for turn in marginals["turns"]]
    assert [bootstrap_median(turn, np.arange(len(turn)) % 67).value for turn in scores] == [9.5, 6.5, 5.5]
    assert [turn.mean() for turn in scores] == pytest.approx([8.377, 6.245, 5.406], abs=0.03)
    assert cohen_d(scores[0], scores[1]) == pytest.approx(0.75, abs=0.005)
    assert cohen_d(scores[1], scores[2]) == pytest.approx(0.24, abs=0.005)
