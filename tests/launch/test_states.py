"""What a sweep comes to: the worst of its runs, and what has no answer never passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmedethic_pytest.launch import attempt, states
from jmedethic_pytest.launch.attempt import Attempt
from jmedethic_pytest.launch.work import Work


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [([0, 0], 0), ([0, 6], 6), ([6, 1, 0], 1), ([7, 6], 7), ([7, 1], 1), ([0, 4], 6), ([0, -9], 6), ([], 6)],
)
def test_the_worst_counts(statuses: list[int], worst: int) -> None:
    assert states.worst(statuses) == worst


def test_a_step_that_was_never_begun_waits_and_one_without_a_result_failed(planned: Callable[..., Work]) -> None:
    work = planned()
    first, merge, _ = work.plan.units[0].steps
    assert [found.states[step] for found in states.look(work, ())[:1] for step in found.unit.steps] == ["waiting"] * 3
    attempt.beside(work.place(first), ".lock").parent.mkdir(parents=True)
    begun = attempt.begin(work.place(first), ["list", "nonsense"], work.home, lambda: False)
    assert isinstance(begun, Attempt)
    assert states.look(work, ())[0].states[first] == "running"
    assert attempt.begin(work.place(first), ["list"], work.home, lambda: False) == "busy"
    assert begun.end() == 4
    found = states.look(work, ())[0]
    assert (found.states[first], found.states[merge]) == ("failed", "waiting")
    assert "nonsense" in found.failures[0].reason
    assert (found.run, found.status) == (None, 6)
    assert attempt.begin(work.place(first), ["list"], work.home, lambda: True) == "done"
