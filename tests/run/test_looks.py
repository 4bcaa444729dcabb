"""The order of a run with looks, and where it takes none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jmedethic_pytest.run.looks import Schedule
from jmedethic_pytest.run.running import RunningRun


@pytest.mark.parametrize(
    ("asked", "planned"),
    [
        (["a", "b", "c"], (["c", "a", "b"], [2])),  # whatever the order of the tests
        (["a", "b"], (["a", "b"],)),  # not all that was selected: an ordinary run
    ],
)
def test_looks_are_taken_in_their_own_order_and_of_whole_runs_alone(asked: list[str], planned: Any) -> None:
    plans: list[Any] = []
    scheduler = SimpleNamespace(plan=lambda *given: plans.append(given))
    running: Any = SimpleNamespace(
        _schedule=Schedule(["c", "a", "b"], {2: 20}), jobs=dict.fromkeys("abc"), _scheduler=scheduler
    )
    RunningRun.plan(running, asked)
    assert plans == [planned]
