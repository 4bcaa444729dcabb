"""What conversations would ask next: walked as far as the cache knows the replies, and no further."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import ChatRequest
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client

J = TypeVar("J")
Taker = Callable[[str, ChatRequest], Awaitable[Reply | None]]
"""Given a request that the cache does not answer, by its key; returns a reply, or nothing yet."""


class Gatherer(Client):
    """Stands for a client where conversations are only walked: it answers from the cache, and hands on the rest.

    Args:
        client: whose requests they are.
        cache: where its replies are.
        take: is handed what is not there.
    """

    def __init__(self, client: Client, cache: Cache, take: Taker) -> None:
        super().__init__(client.role, client.ref, None)
        self.suffix = client.suffix
        self._replies = cache
        self._take = take

    async def chat(self, request: ChatRequest) -> Reply:
        """Return the kept reply.

        Raises:
            ProviderError: if there is none yet.
            RunAborted: if none can be had.
        """
        key = self.keys.of(request)
        reply = self._replies.get(key) or await self._take(key, request)
        if reply is None:
            raise ProviderError(f"{self.ref.label}: the reply is still to come, in a batch")
        return reply

    def forget(self, requests: Iterable[ChatRequest]) -> None:
        """Leave it to the evaluation that follows."""


async def walk(jobs: Iterable[J], evaluate: Callable[[J], Awaitable[Any]], at_a_time: int) -> None:
    """Evaluate everything as far as it goes; what comes of it is nobody's matter.

    Args:
        jobs: the evaluations.
        evaluate: goes along one.
        at_a_time: how many at once.

    Raises:
        Exception: what the first of them raised; the others are given up.
    """
    running: set[asyncio.Task[Any]] = set()

    async def one(job: J) -> None:
        await evaluate(job)

    try:
        for job in jobs:
            if len(running) >= at_a_time:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            running.add(asyncio.create_task(one(job)))
        for task in running:
            await task
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
