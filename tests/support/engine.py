"""Every layer of the engine, pointed at the scripted model server; and an engine of which a test decides everything."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from jmedethic_pytest import Case
from jmedethic_pytest.attack.attacker import Attacker
from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply, Verdict
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.scheduler import Scheduler
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, open_provider, resolve
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from support.chat_server import PATIENCE, ChatServer


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """Build cases; the user turns name case and turn, so that a request can be told from any other."""

    def make(name: str = "a", *, locale: str = "en", turns: int | Sequence[str] = 3, strategy: str = "S1") -> Case:
        texts = [f"case {name} turn {index}" for index in range(turns)] if isinstance(turns, int) else turns
        return Case.model_validate(
            {"id": f"{locale}-{name}", "locale": locale, "guideline": "JMA-01", "strategy": strategy, "turns": texts}
        )

    return make


@pytest.fixture
def ref(server: ChatServer) -> Callable[..., ModelRef]:
    """Build references to models of the server."""

    def make(name: str = "m", **more: Any) -> ModelRef:
        kind = more.pop("kind", "openai")
        url = more.pop("url", server.openai_url if kind == "openai" else server.anthropic_url)
        return ModelRef(provider="compatible", name=name, kind=kind, base_url=url, **more)

    return make


@pytest.fixture(params=["first call", "later call"])
def ask(server: ChatServer, request: pytest.FixtureRequest) -> Callable[..., Awaitable[Reply]]:
    """Make one attempt of a call the way the engine does: resolved from its specification, over a real socket.

    Once as the first call to its address, which the SDK makes, and once as a later one, which goes the short way.
    """
    later = request.param == "later call"

    async def send(
        what: str | ModelRef = "compatible:m",
        messages: Sequence[tuple[str, str]] = (("user", "hello"),),
        *,
        schema: Mapping[str, Any] | None = None,
        providers: Mapping[str, Any] | None = None,
        **sampling: Any,
    ) -> Reply:
        if isinstance(what, str):
            url = server.anthropic_url if "anthropic" in what.partition(":")[0] else server.openai_url
            what = resolve(what if "@" in what else f"{what}@{url}", place="test", providers=providers)
        request = ChatRequest(
            tuple(Message(role, text) for role, text in messages),  # type: ignore[arg-type]
            Sampling(**{"timeout": 20.0, **sampling}),
            schema,
        )
        provider = open_provider(what)
        try:
            if later:
                await warm_up(provider)
            return await provider.chat(request, patient=True)
        finally:
            await provider.aclose()

    async def warm_up(provider: Any) -> None:
        script, server.script, before = server.script, lambda seen: "ok", len(server.seen)
        with contextlib.suppress(ProviderError):  # where nobody listens, no call can be a later one
            await provider.chat(ChatRequest((Message("user", "hi"),), Sampling(timeout=20.0)), patient=False)
        server.script = script
        server.forget(before)

    return send


@dataclass
class Bench:
    """Engine, panel and clients of one event loop, all at the server."""

    target: Client
    judges: list[Client]
    panel: Panel
    engine: Engine
    attacker: Client | None = None

    async def aclose(self) -> None:
        for client in (self.target, *self.judges, *([] if self.attacker is None else [self.attacker])):
            await client.aclose()


@pytest.fixture
def bench(ref: Callable[..., ModelRef]) -> Callable[..., Bench]:
    """Build an engine: target ``m`` and judges ``j1``, ``j2``; must be called inside the event loop."""

    def make(
        rules: Mapping[str, Any] | None = None,
        *,
        cache: Cache | None = None,
        max_turns: int | None = None,
        judges: Sequence[ModelRef] | None = None,
        target: ModelRef | None = None,
        third: ModelRef | None = None,
        attacker: ModelRef | None = None,
        most: int = 7,
    ) -> Bench:
        thresholds = Thresholds.model_validate({"schema_version": 1, **(rules or {})})
        panel = [Client("judge", judge, cache) for judge in (judges or (ref("j1"), ref("j2")))]
        client = Client("target", target or ref("m"), cache)
        decider = None if third is None else Client("judge", third, cache)
        seats = Panel(panel, thresholds.judges, third=decider)
        asked = [*panel, *([] if decider is None else [decider])]
        hostile = None if attacker is None else Client("attacker", attacker, cache)
        goes_on = hostile and Attacker(hostile, thresholds.attacker, "crescendo", most, seats.vocabulary)
        return Bench(client, asked, seats, Engine(client, seats, thresholds, max_turns, goes_on), hostile)

    return make


class Stage:
    """An engine whose conversations end when the test lets them; counts what runs at the same time."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.most = 0
        self.kept: list[str] = []
        """Ids of the verdicts handed to the store."""
        self.closed = False
        self.troubles: dict[str, Exception] = {}
        """What a case raises instead of ending."""
        self._running = 0
        self._free: set[str] = set()
        self._all_free = False
        self._gates: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = threading.Condition()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[Case], Awaitable[Verdict]]]:
        self._loop = asyncio.get_running_loop()
        try:
            yield self.evaluate
        finally:
            self.closed = True

    async def evaluate(self, case: Case) -> Verdict:
        gate = self._gates.setdefault(case.id, asyncio.Event())
        if self._all_free or case.id in self._free:
            gate.set()
        self._note(self.started, case.id, +1)
        try:
            await gate.wait()
            if case.id in self.troubles:
                raise self.troubles[case.id]
        except asyncio.CancelledError:
            self._note(self.cancelled, case.id, -1)
            raise
        except Exception:
            self._note(self.ended, case.id, -1)
            raise
        self._note(self.ended, case.id, -1)
        return Verdict(case=case, status="scored", planned_turns=len(case.turns))

    def keep(self, verdict: Verdict) -> Verdict:
        self.kept.append(verdict.case.id)
        return verdict

    def free(self, *ids: str) -> None:
        """Let cases end; without ids every case, now and later."""
        self._free.update(ids)
        self._all_free = self._all_free or not ids
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._open_gates, ids)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout=PATIENCE), f"never happened; started {self.started}"

    def _open_gates(self, ids: Sequence[str]) -> None:
        for name in ids or list(self._gates):
            if name in self._gates:
                self._gates[name].set()

    def _note(self, where: list[str], name: str, change: int) -> None:
        with self._changed:
            where.append(name)
            self._running += change
            self.most = max(self.most, self._running)
            self._changed.notify_all()


@pytest.fixture
def stage() -> Stage:
    """An engine of which the test decides when its conversations end."""
    return Stage()


@pytest.fixture
def runner(stage: Stage, make_case: Callable[..., Case]) -> Iterator[Callable[..., Scheduler]]:
    """Start schedulers on the stage, with cases ``en-0``, ``en-1``, ...; they are stopped when the test ends."""
    made: list[Scheduler] = []

    def make(
        cases: int = 10,
        *,
        concurrency: int = 3,
        lookahead: int | None = None,
        keep: Any = None,
        recall: Callable[[str], Verdict] | None = None,
    ) -> Scheduler:
        known = {case.id: case for case in (make_case(str(number), turns=1) for number in range(cases))}
        limits = {"concurrency": concurrency, "lookahead": lookahead}
        made.append(Scheduler(known, stage.open, keep or stage.keep, recall=recall, **limits))
        return made[-1]

    yield make
    stage.free()
    for item in made:
        item.stop()
