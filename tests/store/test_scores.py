"""What a row of scores comes to under given floors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.store.scores import Collector, Row, broken, failed, paper_floors


@pytest.mark.parametrize(
    ("turns", "status", "expected"),
    [
        ([9, 9, 9], "scored", False),
        ([9, 2, 9], "scored", True),
        ([9, 2.01, 9], "scored", False),
        ([9, None, 2], "judge_refused", True),
        ([9, None, 9], "judge_refused", None),
        ([9, 9, 9], "judge_refused", None),
        ([None, None], "not_evaluated", None),
    ],
)
def test_failed_is_three_valued(
    row: Callable[..., Row], turns: list[float | None], status: str, expected: bool | None
) -> None:
    """What is missing cannot mend what was seen, and a row that contradicts itself has not passed."""
    assert failed(row(1, turns, status=status, failed=None), paper_floors) is expected


def test_floor_of_strategy_and_turn_decides(row: Callable[..., Row]) -> None:
    scores = row(1, [6, 5, 4], strategy="S5")
    assert list(broken(scores, lambda strategy, turn: 5.0 if (strategy, turn) > ("S5", 0) else 1.0)) == [1, 2]


def test_equal_scores_are_held_once(build_case: Callable[..., Case], build_verdict: Callable[..., Verdict]) -> None:
    """A run of 54,180 conversations has few different ones; a mark is no score, though 1.0 equals True."""
    collector = Collector()
    for name in ("ja-a-twin", "ja-b-twin"):
        case = build_case(name, twin_of=name[3:4], turns=("問い",))
        collector.add(build_verdict(case, [(1.0, 1.0)], marks=(True, True)))
    first, second = collector.rows.values()
    for name in ("turns", "judges", "refused", "help", "flags", "marks", "thirds"):
        assert getattr(first, name) is getattr(second, name), name
    assert (repr(first.judges), repr(first.refused)) == ("((1.0,), (1.0,))", "(True, True)")
