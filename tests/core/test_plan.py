"""The plan of a run: which case, and which of its repetitions, a key stands for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmedethic_pytest.core.plan import Job, Planned, plan_key
from jmedethic_pytest.core.records import Case


def test_every_key_gives_the_case_and_the_repetition_it_was_made_of(build_case: Callable[..., Case]) -> None:
    cases = {name: build_case(name) for name in ("ja-a-1", "ja-a-12", "ja-b")}
    planned = Planned(cases, 12)
    expected = {plan_key(name, repeat): Job(name, cases, repeat) for name in cases for repeat in range(12)}
    assert dict(planned) == expected
    assert list(planned) == list(expected)


def test_some_of_a_plan_stand_in_the_order_that_was_asked_for(build_case: Callable[..., Case]) -> None:
    planned = Planned({name: build_case(name) for name in ("ja-a", "ja-b")}, 2)
    some = planned.only(["ja-b~1", "ja-a"])
    assert [(job.case_id, job.repeat) for job in some.values()] == [("ja-b", 1), ("ja-a", 0)]
    with pytest.raises(KeyError):
        planned.only(["ja-c"])
