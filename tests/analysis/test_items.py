"""Conversations as items: which are contested again, which tell nothing, which order models the other way round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.analysis import items
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.store.scores import Row, ScoreSheet
from support.score_rows import row, sheet

__all__ = ["row", "sheet"]

LEVELS = {"weak": 3.0, "middle": 6.0, "strong": 9.0, "best": 10.0}


@pytest.fixture
def runs(row: Callable[..., Row], sheet: Callable[..., ScoreSheet]) -> list[StoredRun]:
    """Four models on seven cases: 0 is contested, 1 the same for all, 2 the wrong way round, the others are plain."""

    def made(model: str, level: float) -> StoredRun:
        far = ((min(level, 5.0), 5.0), (min(level, 5.0) + 4.0, 9.0))
        rows = [
            row(0, [sum(pair) / 2 for pair in zip(*far, strict=True)], judges=far),
            row(1, [8.0, 8.0]),
            row(2, [11.0 - level, 11.0 - level]),
            row(3, [level, level]),
            *(row(number, [level, (level + 9.0) / 2]) for number in (4, 5, 6)),
            row(7, [1.0, 1.0], twin=True),
        ]
        return StoredRun(model, sheet(rows, run=f"run-{model}", model=f"vllm:{model}"))

    return [made(*item) for item in LEVELS.items()]


def by_case(found: items.ItemStudy) -> dict[str, Any]:
    return {item.case: item for item in found.items}


def test_what_is_contested_again_what_tells_nothing_and_what_goes_the_other_way(runs: list[StoredRun]) -> None:
    study = items.study(runs, contested=3.0)
    found = by_case(study)
    assert (len(study.items), study.models, study.reason) == (7, tuple(sorted(f"vllm:{name}" for name in LEVELS)), "")
    contested, same, against, plain = (found[f"ja-case-{number:04d}"] for number in range(4))
    assert (contested.again, contested.contested_runs, contested.runs, contested.distance) == (True, 4, 4, 4.0)
    assert (same.again, same.varies) == (False, False)
    assert same.discrimination.reason == "every model has the same score"
    assert (plain.mean, plain.spread, plain.varies) == (7.0, 7.0, True)
    assert plain.discrimination.value > 0.6
    assert against.discrimination.value < -0.9


def test_two_models_have_no_difficulty_but_contested_turns(runs: list[StoredRun]) -> None:
    study = items.study([*runs[:2], runs[1]], contested=3.0)
    assert "2 models; at least 3" in study.reason
    found = by_case(study)["ja-case-0000"]
    assert (found.again, found.mean, found.discrimination.value) == (True, None, None)


def test_only_what_all_runs_have_with_the_same_texts_counts(
    runs: list[StoredRun], row: Callable[..., Row], sheet: Callable[..., ScoreSheet]
) -> None:
    other = StoredRun("other", sheet([row(0, [5.0, 5.0]), row(3, [5.0, 5.0], digest="f" * 32)], model="vllm:other"))
    study = items.study([*runs, other], contested=3.0)
    assert ([item.case for item in study.items], study.left_out) == (["ja-case-0000"], 6)


def test_missing_score_is_missing_for_that_model_alone(
    runs: list[StoredRun], row: Callable[..., Row], sheet: Callable[..., ScoreSheet]
) -> None:
    rows = [row(number, [7.0, 7.0] if number else [7.0, None]) for number in range(7)]
    study = items.study([*runs, StoredRun("new", sheet(rows, model="vllm:new"))], contested=3.0)
    assert [item.models for item in study.items] == [4, 5, 5, 5, 5, 5, 5]
