"""The one event loop of a run: keeps N conversations in flight, in the order of the tests, ahead of the tests.

It lives in a thread of the controller process. Tests, in whichever process, only ask for a verdict and wait. All
state below is touched by the loop's thread alone; the public methods hand over to it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, NamedTuple, TypeVar

from jmedethic_pytest.core import garbage
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError, JmedError, RunAborted, StoppedEarly
from jmedethic_pytest.core.records import Verdict

J = TypeVar("J")
T = TypeVar("T")


class Counts(NamedTuple):
    """Where a run stands."""

    done: int
    planned: int
    running: int
    seconds: float


class _Opened(NamedTuple, Generic[J]):
    """What exists once the engine is open."""

    loop: asyncio.AbstractEventLoop
    evaluate: Callable[[J], Awaitable[Verdict]]
    recallable: asyncio.Future[Verdict | None]
    """The result of every evaluation that is finished and can be recalled: one for all of them."""


class Scheduler(Generic[J]):
    """Evaluates planned cases in the background, from the moment it is made until :meth:`stop`.

    Args:
        jobs: everything that can be asked for, by key: what ``open_engine``'s function evaluates.
        open_engine: opens engine, cache and connections inside the loop; closed when the run ends.
        on_verdict: called in the loop's thread with each new verdict; returns it as it is kept. If it raises, the run
            is aborted.
        afterwards: does what else belongs to a finished case, in its place among those in flight.
        recall: returns the stored verdict of a finished case; with it only the newest stay in memory, twice as many
            as conversations are in flight, however far the engine is ahead of the tests.
        concurrency: conversations in flight.
        lookahead: cases that may be started before a test asked for them; ``None`` for all.
        look: called in a thread of its own whenever all planned before a look is finished, and nothing is in flight,
            with the number of evaluations; returns why the rest is not to be begun, or nothing to go on.

    Raises:
        Exception: whatever opening the engine raised.
    """

    def __init__(
        self,
        jobs: Mapping[str, J],
        open_engine: Callable[[], AbstractAsyncContextManager[Callable[[J], Awaitable[Verdict]]]],
        on_verdict: Callable[[Verdict], Verdict],
        *,
        afterwards: Callable[[J], Awaitable[None]] | None = None,
        recall: Callable[[str], Verdict] | None = None,
        concurrency: int,
        lookahead: int | None = None,
        look: Callable[[int], str] | None = None,
    ) -> None:
        self._jobs = jobs
        self._afterwards = afterwards
        self._open_engine = open_engine
        self._on_verdict = on_verdict
        self._recall = recall
        self._concurrency = concurrency
        self._lookahead = lookahead
        self._look = look
        self._ends: deque[int] = deque()
        self._held: set[str] = set()
        """Planned evaluations that stand beyond the next look."""
        self._freed = asyncio.Event()
        """Set when that changes, or will not any more."""
        self._looking: asyncio.Task[None] | None = None
        self._queue: deque[str] = deque()
        self._results: dict[str, asyncio.Future[Verdict | None]] = {}
        self._newest: deque[str] = deque()
        """Finished ones that tests will soon ask for, and whose verdicts are not read back for them."""
        self._asked: set[str] = set()
        self._ahead = 0
        self._running: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        """Those of the running ones that do not wait for a slot."""
        self._finished: set[str] = set()
        self._begun = time.monotonic()
        self._stopping = asyncio.Event()
        self._closing = False
        self._slots = asyncio.Semaphore(concurrency)
        self.aborted: str | None = None
        """Why the run was given up, if it was."""
        self.out_of_budget = False
        """True if it was given up because the budget is spent."""
        self.stopped_early = ""
        """Why nothing beyond a look was begun, if it was not."""
        self.planned: list[str] = []
        """Keys of the evaluations the tests want, in their order; set by the first plan."""
        self._opened: Future[_Opened[J]] = Future()
        self._thread = threading.Thread(target=self._main, name="jmedethic-engine", daemon=True)
        self._thread.start()
        self._opened.result()

    def plan(self, keys: Sequence[str], ends: Sequence[int] = ()) -> None:
        """Give the evaluations of this run in the order of the tests; only the first plan counts.

        Args:
            keys: of the evaluations.
            ends: how many of them stand before each look.
        """
        self._call(self._plan(list(keys), ends)).result()

    def request(self, key: str) -> Future[Verdict]:
        """Ask for a planned case's verdict; a case that was not started yet goes to the front."""
        ready = self._ready(key)
        if ready is not None:
            return _at_once(lambda: ready.result() or self._read_back(key))
        return self._call(self._verdict(key))

    def complete(self, key: str) -> Future[Verdict | None]:
        """Ask likewise, where it matters only that it is finished: nothing is recalled for it."""
        ready = self._ready(key)
        return self._call(self._result(key)) if ready is None else _at_once(ready.result)

    def _ready(self, key: str) -> asyncio.Future[Verdict | None] | None:
        """Return the result of what is finished, as the loop need not be asked for it: a switch between threads less.

        Only a bounded look-ahead must know who has asked for what.
        """
        result = self._results.get(key)
        known = result is not None and result.done() and key in self._finished
        return result if known and self._lookahead is None and self._thread.is_alive() else None

    def evaluate(self, job: J) -> Future[Verdict]:
        """Evaluate a job of a test's own, outside the plan."""
        return self._call(self._evaluate(job))

    def do(self, something: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Have something else done in the loop, which is no evaluation."""
        return self._call(something())

    def counts(self) -> Counts:
        """Return where the run stands; may be called from any thread."""
        return Counts(len(self._finished), len(self.planned), self._in_flight, time.monotonic() - self._begun)

    def unfinished(self) -> list[str]:
        """Return the planned cases without a verdict, once it has stopped."""
        return [key for key in self.planned if key not in self._finished]

    def finish_running(self, seconds: float | None) -> None:
        """Start nothing more, and wait for what is in flight: what is half paid for need not be lost.

        Args:
            seconds: the most to wait; ``None`` until it is done.
        """
        if self._thread.is_alive():
            self._call(self._finish_running(seconds)).result()

    def abort(self, reason: str) -> None:
        """Give the run up, from any thread: what it depends on is gone."""
        with suppress(RuntimeError):  # the loop is closed: it has ended meanwhile
            self._opened.result().loop.call_soon_threadsafe(self._abort, reason)

    def stop(self) -> bool:
        """Cancel what is in flight and wait until everything is closed; return whether it was running until now."""
        running = self._thread.is_alive()
        if running:
            self._opened.result().loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._results.clear()  # the statistics that follow need the room
        self._asked.clear()
        return running

    # ------------------------------------------------------------------ in the loop's thread

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._opened.result().loop)
        except RuntimeError:  # The loop is closed: somebody asks after the end.
            coroutine.close()
            raise RunAborted(self.aborted or "the run was stopped") from None

    def _main(self) -> None:
        try:
            with garbage.searched_rarely():
                asyncio.run(self._serve())
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        recallable: asyncio.Future[Verdict | None] = loop.create_future()
        recallable.set_result(None)
        async with self._open_engine() as evaluate:
            self._opened.set_result(_Opened(loop, evaluate, recallable))
            await self._stopping.wait()
            await self._abandon("the run was stopped")

    async def _plan(self, keys: list[str], ends: Sequence[int]) -> None:
        if not self.planned:
            self.planned = list(dict.fromkeys(keys))
            self._ends.extend(ends)
            self._go_on(0)

    def _go_on(self, done: int) -> None:
        """Queue what stands before the next look; all that is left, if there is none."""
        end = self._ends.popleft() if self._ends else len(self.planned)
        self._held = set(self.planned[end:])
        self._queue.extend(key for key in self.planned[done:end] if key not in self._results)
        self._tell_the_held()
        self._fill()
        self._look_if_due()

    def _tell_the_held(self) -> None:
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()

    async def _verdict(self, key: str) -> Verdict:
        return await self._result(key) or self._read_back(key)

    def _read_back(self, key: str) -> Verdict:
        assert self._recall is not None
        return self._recall(key)

    async def _result(self, key: str) -> Verdict | None:
        if key not in self._jobs:
            raise ConfigError(f"{key!r} is no case of this run.")
        while key in self._held:
            if self.aborted or self._closing:
                raise RunAborted(self.aborted or "the run was stopped")
            if self.stopped_early:
                raise StoppedEarly(self.stopped_early)
            await self._freed.wait()
        first_time = key not in self._asked
        self._asked.add(key)
        if key not in self._results:
            self._start(key)
        elif first_time:
            self._ahead -= 1
            self._fill()
        return await asyncio.shield(self._results[key])

    async def _evaluate(self, job: J) -> Verdict:
        if self.aborted:
            raise RunAborted(self.aborted)
        async with self._slots:
            if self.aborted:
                raise RunAborted(self.aborted)
            return await self._opened.result().evaluate(job)

    def _fill(self) -> None:
        """Start queued cases while there is room in flight and, with a bounded look-ahead, ahead of the tests."""
        while self._queue and len(self._running) < self._concurrency:
            if self._lookahead is not None and self._ahead >= self._lookahead:
                return
            key = self._queue.popleft()
            if key not in self._results:
                self._ahead += 1
                self._start(key)

    def _start(self, key: str) -> None:
        result: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        result.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._results[key] = result
        if self.aborted or self._closing:
            result.set_exception(RunAborted(self.aborted or "the run was stopped"))
            return
        task = asyncio.create_task(self._run(key, result))
        self._running.add(task)

    async def _run(self, key: str, result: asyncio.Future[Verdict | None]) -> None:
        try:
            async with self._slots:
                if self._closing:  # it stood in line while Ctrl-C was pressed
                    if not result.done():
                        result.set_exception(RunAborted(self.aborted or "the run was stopped"))
                    return
                self._in_flight += 1
                try:
                    await self._complete(key, result)
                finally:
                    self._in_flight -= 1
        except JmedError as error:
            self.out_of_budget = self.out_of_budget or (self.aborted is None and isinstance(error, BudgetSpent))
            self._abort(str(error))
        except Exception as error:  # noqa: BLE001 - a bug must end the run with a word, not hang its tests
            self._abort(f"internal error in case {key}: {type(error).__name__}: {error}. Please report it.")
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._running.discard(task)
            self._fill()
            self._look_if_due()

    def _look_if_due(self) -> None:
        """Look once all before it is finished: a short pause, and no call that a stop would have wasted."""
        given_up = self.aborted or self._closing or self.stopped_early
        if self._held and not (self._queue or self._running or self._looking or given_up):
            self._looking = asyncio.create_task(self._take_look(len(self.planned) - len(self._held)))

    async def _take_look(self, done: int) -> None:
        assert self._look is not None
        try:
            self.stopped_early = await asyncio.to_thread(self._look, done)
        except JmedError as error:
            self._abort(str(error))
        except Exception as error:  # noqa: BLE001 - as in _run
            self._abort(f"internal error at the look after {done}: {type(error).__name__}: {error}. Please report it.")
        finally:
            self._looking = None
        if self.stopped_early or self.aborted or self._closing:
            self._tell_the_held()
        else:
            self._go_on(done)

    async def _complete(self, key: str, result: asyncio.Future[Verdict | None]) -> None:
        """Evaluate a case and tell whoever waits for it; then do what else belongs to it."""
        verdict = self._on_verdict(await self._opened.result().evaluate(self._jobs[key]))
        self._finished.add(key)
        if not result.done():
            result.set_result(verdict)
        if self._recall is not None:
            self._newest.append(key)
            if len(self._newest) > 2 * self._concurrency:  # those in flight often end together
                self._results[self._newest.popleft()] = self._opened.result().recallable
        if self._afterwards is not None:
            await self._afterwards(self._jobs[key])

    def _abort(self, reason: str) -> None:
        """Give the run up: whoever waits is told, nothing new is started, what is in flight is cancelled."""
        if self.aborted is None:
            self.aborted = reason
        self._queue.clear()
        for result in self._results.values():
            if not result.done():
                result.set_exception(RunAborted(self.aborted))
        current = asyncio.current_task()
        for task in self._running:
            if task is not current:
                task.cancel()
        self._tell_the_held()

    async def _finish_running(self, seconds: float | None) -> None:
        self._closing = True
        self._queue.clear()
        self._tell_the_held()
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _abandon(self, reason: str) -> None:
        self._closing = True
        self._queue.clear()
        self._tell_the_held()
        tasks = [*self._running, *([self._looking] if self._looking is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for result in self._results.values():
            if not result.done():
                result.set_exception(RunAborted(reason))


def _at_once(give: Callable[[], T]) -> Future[T]:
    """Return a future that has ended already."""
    future: Future[T] = Future()
    try:
        future.set_result(give())
    except JmedError as error:
        future.set_exception(error)
    return future
