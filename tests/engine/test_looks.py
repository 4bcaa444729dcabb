"""Looks in the scheduler: nothing beyond one is begun before it, and nothing at all after a stop."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted, StoppedEarly, StoreError
from jmedethic_pytest.engine.scheduler import Scheduler

PATIENCE = 60.0
ORDER = [f"en-{number}" for number in range(10)]


def outcome(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception(timeout=PATIENCE)
    except CancelledError as error:
        return error


class Looking:
    """Answers looks as it was told to, and remembers what had been started at each."""

    def __init__(self, stage: Any, *answers: str | Exception) -> None:
        self.stage = stage
        self.answers = list(answers)
        self.seen: list[tuple[int, int, int]] = []

    def __call__(self, done: int) -> str:
        self.seen.append((done, len(self.stage.started), len(self.stage.kept)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def looked_at(stage: Any, make_case: Any) -> Any:
    """Start a scheduler of ten cases, with looks after the third and the seventh."""
    made: list[Scheduler[Any]] = []

    def start(look: Any, concurrency: int = 4) -> Scheduler[Any]:
        known = {f"en-{number}": make_case(str(number), turns=1) for number in range(10)}
        made.append(Scheduler(known, stage.open, stage.keep, concurrency=concurrency, look=look))
        made[-1].plan(ORDER, [3, 7])
        return made[-1]

    yield start
    stage.free()
    for scheduler in made:
        scheduler.stop()


def test_every_look_sees_what_stands_before_it_and_no_more(stage: Any, looked_at: Any) -> None:
    look = Looking(stage, "", "")
    running = looked_at(look)
    stage.free()
    waiting = [running.request(key) for key in reversed(ORDER)]
    assert all(future.result(PATIENCE) for future in waiting)
    assert look.seen == [(3, 3, 3), (7, 7, 7)]
    assert (running.stopped_early, sorted(stage.kept)) == ("", ORDER)


def test_after_a_stop_nothing_is_begun_and_whoever_asks_is_told(stage: Any, looked_at: Any) -> None:
    look = Looking(stage, "", "stopped at 7 of 10")
    running = looked_at(look)
    early = running.request("en-9")
    stage.free()
    assert str(outcome(early)) == "stopped at 7 of 10"
    late = outcome(running.request("en-8"))
    assert isinstance(late, StoppedEarly)
    assert running.request("en-0").result(PATIENCE).case.id == "en-0"
    assert (len(look.seen), sorted(stage.started)) == (2, ORDER[:7])
    assert (running.planned, running.counts().done, running.aborted) == (ORDER, 7, None)


@pytest.mark.parametrize("error", [StoreError("a line is damaged"), ValueError("a bug")], ids=["store", "bug"])
def test_a_look_that_goes_wrong_ends_the_run_with_a_word(stage: Any, looked_at: Any, error: Exception) -> None:
    running = looked_at(Looking(stage, error))
    waiting = running.request("en-5")
    stage.free()
    found = outcome(waiting)
    assert isinstance(found, RunAborted)
    assert str(error) in str(found) == running.aborted


def test_a_run_that_is_given_up_is_not_looked_at(stage: Any, looked_at: Any) -> None:
    look = Looking(stage)
    running = looked_at(look, concurrency=3)
    waiting = running.request("en-9")
    stage.troubles["en-1"] = RunAborted("the judge is gone")
    stage.free()
    assert str(outcome(waiting)) == "the judge is gone"
    assert look.seen == []


def test_stopping_during_a_look_leaves_nobody_waiting(stage: Any, looked_at: Any) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def look(_: int) -> str:
        begun.set()
        go_on.wait(PATIENCE)
        return ""

    running = looked_at(look)
    waiting = running.request("en-9")
    stage.free()
    assert begun.wait(PATIENCE)
    closing = threading.Thread(target=running.stop)
    closing.start()
    assert isinstance(outcome(waiting), RunAborted | CancelledError)
    go_on.set()
    closing.join(PATIENCE)
    assert sorted(stage.started) == ORDER[:3]


def test_after_ctrl_c_nothing_more_is_looked_at_or_begun(stage: Any, looked_at: Any) -> None:
    look = Looking(stage)
    running = looked_at(look, concurrency=3)
    stage.wait_for(lambda: len(stage.started) == 3)
    waiting = running.request("en-9")
    closing = threading.Thread(target=running.finish_running, args=(PATIENCE,))
    closing.start()
    assert isinstance(outcome(waiting), RunAborted)
    stage.free()
    closing.join(PATIENCE)
    assert (look.seen, sorted(stage.started)) == ([], ORDER[:3])
