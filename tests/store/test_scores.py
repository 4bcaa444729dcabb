"""What a row of scores comes to under given floors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmedethic_pytest.store.scores import Row, broken, failed, paper_floors


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
