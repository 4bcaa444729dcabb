"""The runner: order, concurrency, look-ahead, abort and stop, driven by events and never by time."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from jmedethic_pytest.core.errors import RunAborted, StoreError
from jmedethic_pytest.core.records import Verdict

PATIENCE = 60.0


def _ids(count: int, first: int = 0) -> list[str]:
    return [f"en-{number}" for number in range(first, first + count)]


def _outcome(future: Future[Any]) -> BaseException | None:
    """Return what a waiter gets; a waiter that gets nothing fails the test."""
    try:
        return future.exception(timeout=PATIENCE)
    except CancelledError as error:
        return error


def test_plan_runs_ahead_in_the_order_of_the_tests(stage: Any, runner: Any) -> None:
    running = runner(8, concurrency=3)
    order = ["en-5", "en-2", "en-7", "en-0", "en-1"]
    running.plan(order)
    stage.wait_for(lambda: len(stage.started) == 3)
    assert stage.started == order[:3]
    stage.free("en-2")
    stage.wait_for(lambda: len(stage.started) == 4)
    stage.free()
    assert [running.request(name).result(PATIENCE).case.id for name in order] == order
    assert stage.started == order
    assert sorted(stage.kept) == sorted(order)
    assert (stage.most, running.counts().done, running.counts().planned) == (3, 5, 5)


def test_only_the_first_plan_counts(stage: Any, runner: Any) -> None:
    running = runner(4, concurrency=1)
    running.plan(["en-0", "en-1", "en-0"])
    running.plan(["en-3", "en-2"])
    stage.free()
    for name in ("en-0", "en-1"):
        running.request(name).result(PATIENCE)
    assert running.planned == ["en-0", "en-1"]
    assert stage.started == ["en-0", "en-1"]


def test_verdicts_are_read_back_only_where_many_came_after_them(stage: Any, runner: Any) -> None:
    """The newest are given as they are kept, and whoever only waits for the end needs none."""

    def keep(made: Verdict) -> Verdict:
        return stage.keep(made).model_copy(update={"detail": "kept"})

    read: list[str] = []
    running = runner(3, recall=read.append, keep=keep, concurrency=1)
    running.plan(["en-0", "en-1", "en-2"])
    stage.free()
    for name in ("en-0", "en-1", "en-2"):
        running.complete(name).result(PATIENCE)
    first, *newest = stage.kept
    assert [running.request(name).result(PATIENCE).detail for name in newest] == ["kept", "kept"]
    assert read == []
    running.request(first).result(PATIENCE)
    assert read == [first]


def test_case_asked_for_many_times_is_evaluated_and_stored_once(stage: Any, runner: Any) -> None:
    running = runner(2)
    running.plan(["en-0"])
    waiters = [running.request("en-0") for _ in range(20)]
    stage.free()
    assert {id(waiter.result(PATIENCE)) for waiter in waiters} == {id(waiters[0].result())}
    assert running.request("en-0").result(PATIENCE) is waiters[0].result()
    assert (stage.started, stage.kept) == (["en-0"], ["en-0"])


def test_case_out_of_order_goes_to_the_front(stage: Any, runner: Any) -> None:
    """It need not wait for what the plan has queued, only for room in flight."""
    running = runner(20, concurrency=2)
    running.plan(_ids(20))
    stage.wait_for(lambda: len(stage.started) == 2)
    wanted = running.request("en-17")
    stage.free("en-0", "en-17")
    assert wanted.result(PATIENCE).case.id == "en-17"
    assert stage.started.index("en-17") == 2


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_concurrency_is_kept_by_the_plan(stage: Any, runner: Any, concurrency: int) -> None:
    running = runner(30, concurrency=concurrency)
    running.plan(_ids(30))
    stage.wait_for(lambda: len(stage.started) == concurrency)
    stage.free()
    for name in _ids(30):
        running.request(name).result(PATIENCE)
    assert stage.most == concurrency


def test_concurrency_is_kept_when_tests_ask_out_of_order(stage: Any, runner: Any) -> None:
    """xdist workers ask for cases from all over the plan: ``-n 8 --jmed-concurrency=2`` must stay at two in flight."""
    running = runner(40, concurrency=2)
    running.plan(_ids(40))
    stage.wait_for(lambda: len(stage.started) == 2)
    waiters = [running.request(name) for name in _ids(8, first=20)]
    own = running.request("en-0")
    stage.free("en-0")
    own.result(PATIENCE)
    stage.free()
    for waiter in waiters:
        waiter.result(PATIENCE)
    assert stage.most <= 2


def test_cases_of_a_tests_own_keep_the_concurrency_too(stage: Any, runner: Any, make_case: Any) -> None:
    running = runner(4, concurrency=2)
    running.plan(["en-0"])
    waiters = [running.evaluate(make_case(f"own-{number}")) for number in range(6)]
    first = running.request("en-0")
    stage.free("en-0")
    first.result(PATIENCE)
    stage.free()
    for waiter in waiters:
        waiter.result(PATIENCE)
    assert stage.most <= 2


def test_own_case_is_evaluated_outside_the_plan_and_not_stored(stage: Any, runner: Any, make_case: Any) -> None:
    running = runner(1)
    stage.free()
    assert running.evaluate(make_case("own")).result(PATIENCE).case.id == "en-own"
    assert stage.kept == []
    assert running.counts().done == 0


def test_lookahead_bounds_what_is_started_before_it_is_asked_for(stage: Any, runner: Any) -> None:
    running = runner(20, concurrency=10, lookahead=4)
    running.plan(_ids(20))
    stage.free()
    stage.wait_for(lambda: len(stage.ended) == 4)
    for asked in range(1, 11):
        running.request(f"en-{asked - 1}").result(PATIENCE)
        stage.wait_for(lambda asked=asked: len(stage.ended) == asked + 4)
        assert stage.started == _ids(asked + 4)


def test_lookahead_is_not_used_up_by_asking_twice_or_out_of_order(stage: Any, runner: Any) -> None:
    running = runner(20, concurrency=10, lookahead=2)
    running.plan(_ids(20))
    stage.free()
    stage.wait_for(lambda: len(stage.ended) == 2)
    for name in ("en-15", "en-0", "en-0", "en-0", "en-16"):
        running.request(name).result(PATIENCE)
    stage.wait_for(lambda: len(stage.ended) == 5)
    assert stage.started == ["en-0", "en-1", "en-15", "en-2", "en-16"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RunAborted("the judge is gone"), "the judge is gone"),
        (StoreError("cache: disk full"), "cache: disk full"),
        (ValueError("a bug"), r"internal error in case en-1: ValueError: a bug\. Please report it\."),
    ],
    ids=["aborted", "store", "bug"],
)
def test_abort_reaches_every_waiter_now_and_later(stage: Any, runner: Any, error: Exception, words: str) -> None:
    running = runner(20, concurrency=3)
    stage.troubles["en-1"] = error
    running.plan(_ids(20))
    waiters = [running.request(name) for name in (*_ids(3), "en-1", "en-2")]
    stage.wait_for(lambda: len(stage.started) == 3)
    stage.free("en-1")
    for waiter in waiters:
        with pytest.raises(RunAborted, match=words):
            waiter.result(PATIENCE)
    for name in ("en-2", "en-10", "en-19"):
        with pytest.raises(RunAborted, match=words):
            running.request(name).result(PATIENCE)
    stage.wait_for(lambda: sorted(stage.cancelled) == ["en-0", "en-2"])
    assert stage.started == _ids(3)
    assert stage.kept == []
    assert running.aborted is not None


def test_abort_reaches_who_waits_for_a_case_of_its_own(stage: Any, runner: Any, make_case: Any) -> None:
    running = runner(2, concurrency=3)
    stage.troubles["en-0"] = RunAborted("the judge is gone")
    own = running.evaluate(make_case("own"))
    stage.wait_for(lambda: stage.started == ["en-own"])
    running.plan(["en-0"])
    stage.free("en-0")
    assert isinstance(_outcome(running.request("en-0")), RunAborted)
    with pytest.raises(RunAborted):
        running.evaluate(make_case("later")).result(PATIENCE)
    running.stop()
    assert isinstance(_outcome(own), RunAborted | CancelledError)


def test_verdict_that_cannot_be_stored_aborts_and_is_not_given_out(stage: Any, runner: Any) -> None:
    def full(verdict: Any) -> None:
        raise StoreError("no space left")

    running = runner(3, keep=full)
    running.plan(_ids(3))
    waiter = running.request("en-0")
    stage.free()
    with pytest.raises(RunAborted, match="no space left"):
        waiter.result(PATIENCE)
    assert running.counts().done == 0


def test_finished_verdicts_stay_available_after_an_abort(stage: Any, runner: Any) -> None:
    running = runner(3, concurrency=1)
    stage.troubles["en-1"] = RunAborted("gone")
    running.plan(_ids(3))
    stage.free()
    assert isinstance(_outcome(running.request("en-1")), RunAborted)
    assert running.request("en-0").result(PATIENCE).case.id == "en-0"
    assert stage.kept == ["en-0"]


def test_stop_cancels_what_is_in_flight_and_closes_the_engine(stage: Any, runner: Any) -> None:
    running = runner(10, concurrency=3)
    running.plan(_ids(10))
    waiters = [running.request(name) for name in _ids(3)]
    stage.wait_for(lambda: len(stage.started) == 3)
    running.stop()
    assert sorted(stage.cancelled) == _ids(3)
    assert stage.started == _ids(3)
    assert stage.closed
    assert {type(_outcome(waiter)) for waiter in waiters} <= {RunAborted, CancelledError}
    running.stop()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_question_after_the_stop_is_told_so(stage: Any, runner: Any) -> None:
    """A worker may still ask while the controller goes home; it must get a word, not a traceback."""
    running = runner(3)
    running.plan(_ids(1))
    running.stop()
    with pytest.raises(RunAborted):
        running.request("en-2").result(PATIENCE)


def test_case_that_is_not_in_the_run_does_not_end_it_for_the_others(stage: Any, runner: Any) -> None:
    running = runner(2)
    running.plan(_ids(2))
    with pytest.raises(Exception, match="en-99"):
        running.request("en-99").result(PATIENCE)
    stage.free()
    assert running.request("en-0").result(PATIENCE).case.id == "en-0"


def test_engine_that_cannot_be_opened_is_the_starters_error(make_case: Any) -> None:
    from contextlib import asynccontextmanager

    from jmedethic_pytest.engine.scheduler import Scheduler

    @asynccontextmanager
    async def broken() -> Any:
        raise StoreError("the cache cannot be used")
        yield

    with pytest.raises(StoreError, match="the cache cannot be used"):
        Scheduler({}, broken, lambda verdict: verdict, concurrency=1)
