"""An endpoint on a clock that costs no time: calls, pauses and outages of minutes in milliseconds."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import ChatRequest, Message, ModelRef
from jmedethic_pytest.models import client as clients
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.endpoint import Endpoint
from jmedethic_pytest.models.limits import AdaptiveLimit


class Time:
    """Seconds that pass when nobody has anything else to do."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._number += 1
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, self._number, wake))
        await wake

    async def _pass(self) -> None:
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            while self._sleepers:
                self.now, _, wake = heapq.heappop(self._sleepers)
                if not wake.done():
                    wake.set_result(None)
                    break

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        passing = asyncio.create_task(self._pass())
        try:
            return await work
        finally:
            passing.cancel()


class Virtual:
    """A client whose provider a test scripts; every call takes a second.

    ``script`` is called with the text of a request and the number of its attempt; it returns a reply's text or raises.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ceiling: int = 32, **more: Any) -> None:
        self.time = Time()
        self.script: Callable[[str, int], Any] = lambda text, attempt: "ok"
        self.seconds = 1.0
        self.tried = Counter[str]()
        self.began: list[float] = []
        """When each attempt began."""
        self.in_flight = self.most = 0
        monkeypatch.setattr(clients, "open_provider", lambda ref, observe: self)
        ref = ModelRef(provider="compatible", name="m", kind="openai", base_url="http://h/v1")
        self.client = Client("target", ref, None, ceiling=ceiling, **more)
        self.client.endpoint = Endpoint("target", self.time, self.time.sleep)
        self.client.limit = AdaptiveLimit(ceiling, self.time)

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        text = request.messages[-1].content
        self.tried[text] += 1
        self.began.append(self.time.now)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            found = self.script(text, self.tried[text])
            if isinstance(found, Awaitable):
                found = await found
            else:
                await self.time.sleep(self.seconds)
        finally:
            self.in_flight -= 1
        if isinstance(found, Exception):
            if getattr(found, "http_status", None) is not None:
                self.client.limit.observe(found.http_status, {})  # type: ignore[attr-defined]
            raise found
        self.client.limit.observe(200, {})
        return Reply(text=found, finish="stop", usage=Usage(input=3, output=2))

    async def aclose(self) -> None:
        pass

    async def ask(self, text: str, **sampling: Any) -> Any:
        """Make a call; an error is returned."""
        request = ChatRequest((Message("user", text),), Sampling(**sampling))
        return (await asyncio.gather(self.client.chat(request), return_exceptions=True))[0]

    async def all(self, count: int, at_once: int = 32, **sampling: Any) -> list[Any]:
        """Make so many calls, ``at_once`` at a time, and return what became of them."""
        room = asyncio.Semaphore(at_once)

        async def one(number: int) -> Any:
            async with room:
                return await self.ask(f"call {number}", **sampling)

        async def together() -> list[Any]:
            return list(await asyncio.gather(*(one(number) for number in range(count))))

        found: list[Any] = await self.time.run(together())
        return found

    def down(self, begin: float, end: float, error: Callable[[], ProviderError]) -> Callable[[str, int], Any]:
        """Return a script: what every call meets between two times."""

        async def fail() -> ProviderError:
            await self.time.sleep(0.01)
            return error()

        return lambda text, attempt: fail() if begin <= self.time.now < end else "ok"


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Virtual]:
    """Make scripted endpoints on clocks of their own; must be called inside the event loop."""
    return lambda **given: Virtual(monkeypatch, **given)
