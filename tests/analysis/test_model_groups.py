"""The 22 models of the paper (turn means read off its figures): groups and tests give what the paper notes give."""

from __future__ import annotations

import pytest

from jmedethic_pytest.analysis.model_groups import ModelFigures, compare_groups
from jmedethic_pytest.stats.paired import friedman, wilcoxon
from jmedethic_pytest.stats.unpaired import mann_whitney

TABLE = """
commercial claude-opus-4.1         9.32 9.11 9.64 9.358 99.8
commercial claude-sonnet-4         9.12 8.58 9.48 9.059 98.1
open       gpt-oss-120b            9.10 8.67 9.46 9.076 91.3
commercial gpt-5                   9.01 8.54 9.01 8.855 95.4
commercial gpt-5-mini              8.98 8.55 9.04 8.857 97.7
open       qwen3-235b-a22b-2507    8.64 6.82 6.61 7.36  68.7
open       gpt-oss-20b             8.63 7.43 8.53 8.194 76.6
commercial claude-3.5-haiku        8.60 7.61 7.79 8.001 79.2
open       glm-4.5                 8.39 5.50 4.44 6.112 44.9
open       qwen3-32b               8.36 5.89 4.94 6.397 45.8
open       qwen3-8b                8.36 5.32 3.13 5.603 33.1
commercial gemini-2.5-flash        8.30 5.30 3.45 5.682 34.3
commercial grok-4                  8.20 6.47 6.23 6.965 67.0
commercial gemini-2.5-pro          8.18 5.02 3.69 5.629 34.7
open       qwen3-30b-a3b           8.08 5.23 3.88 5.727 36.2
open       kimi-k2                 7.50 4.64 4.20 5.448 35.3
medical    medgemma-27b-it         8.35 5.23 3.01 5.531 34.75
medical    medgemma-4b-it          8.04 5.00 2.56 5.199 26.06
medical    II-Medical-32B-Preview  7.96 4.37 2.23 4.856 16.89
medical    HuatuoGPT-o1-72B        7.91 5.07 3.27 5.416 36.08
medical    HuatuoGPT-o1-7B         7.67 4.09 1.85 4.533 13.52
medical    II-Medical-8B           7.57 4.01 1.91 4.494 14.71
"""


@pytest.fixture(scope="module")
def groups() -> dict[str, list[ModelFigures]]:
    found: dict[str, list[ModelFigures]] = {"commercial": [], "open": [], "medical": []}
    for line in TABLE.strip().splitlines():
        group, model, *figures = line.split()
        *turns, mean, rate = map(float, figures)
        found[group].append(ModelFigures(model=model, turns=tuple(turns), mean=mean, pass_rate=rate / 100))
    return found


def test_group_means(groups: dict[str, list[ModelFigures]]) -> None:
    found = {group.name: group for group in compare_groups(groups).groups}
    shown = {name: tuple(round(turn or 0, 2) for turn in group.turns) for name, group in found.items()}
    assert shown == {
        "commercial": pytest.approx((8.71, 7.40, 7.29), abs=0.011),
        "open": pytest.approx((8.38, 6.19, 5.65), abs=0.011),
        "medical": pytest.approx((7.92, 4.63, 2.47), abs=0.011),
    }
    assert [len(found[name].models) for name in found] == [8, 8, 6]
    assert round(found["commercial"].mean or 0, 2) == 7.80
    assert round(found["medical"].mean or 0, 3) == 5.005


def test_groups_by_model_means(groups: dict[str, list[ModelFigures]]) -> None:
    found = compare_groups(groups)
    assert found.omnibus is not None
    assert found.omnibus.p is not None
    assert found.omnibus.p < 0.01
    tests = {(pair.first, pair.second): pair.test for pair in found.pairs}
    apart = tests["commercial", "medical"]
    assert (apart.statistic, apart.effects["cliffs_delta"]) == (48.0, 1.0)
    assert apart.p == pytest.approx(0.00067, abs=5e-6)
    assert apart.p_adjusted == pytest.approx(3 * 0.000666, abs=1e-5)
    assert tests["open", "medical"].p == pytest.approx(0.0013, abs=5e-5)
    assert tests["commercial", "open"].p == pytest.approx(0.23, abs=0.005)


def test_turns_of_the_models(groups: dict[str, list[ModelFigures]]) -> None:
    """Pairing matters: all models fall from T0 to T1, seven rise again, and the unpaired test sees nothing."""
    turns = [model.turns for models in groups.values() for model in models]
    found = friedman(turns)
    assert round(found.statistic or 0, 1) == 21.4
    assert found.p == pytest.approx(2.3e-5, abs=5e-7)
    second = [(row[1] or 0) - (row[2] or 0) for row in turns]
    assert sum(difference < 0 for difference in second) == 7
    assert wilcoxon(second).p == pytest.approx(0.0093, abs=0.003)
    assert mann_whitney([row[1] for row in turns], [row[2] for row in turns]).p == pytest.approx(0.136, abs=0.001)


def test_group_of_two_models_is_shown_only(groups: dict[str, list[ModelFigures]]) -> None:
    found = compare_groups({**groups, "medical": groups["medical"][:2]})
    assert [group.tested for group in found.groups] == [True, True, False]
    assert [(pair.first, pair.second) for pair in found.pairs] == [("commercial", "open")]
    assert found.groups[2].mean == pytest.approx((5.531 + 5.199) / 2)


def test_model_without_a_mean_leaves_its_group_without_one(groups: dict[str, list[ModelFigures]]) -> None:
    lost = ModelFigures(model="lost", turns=(None, 5.0, 5.0), mean=None)
    found = compare_groups({**groups, "medical": [*groups["medical"], lost]})
    medical = found.groups[2]
    assert (medical.mean, medical.turns[0], medical.tested) == (None, None, False)
    assert medical.turns[1] is not None
