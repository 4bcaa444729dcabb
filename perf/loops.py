"""The bare loops that the package is compared with: the same calls, and nothing else.

    python perf/loops.py sdk --url http://127.0.0.1:PORT --cases FILE --in-flight 32
    python perf/loops.py raw --url http://127.0.0.1:PORT --cases FILE --in-flight 512

``sdk`` is the path the package uses: the openai SDK's low-level ``post`` on its aiohttp backend, one client a model.
``raw`` is aiohttp alone with ready-made bytes; it shows what the server can do. Prints the loop's wall
and CPU seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import workload
from workload import Turn

T = TypeVar("T")
_OPTIONS: Any = {"timeout": 300.0, "max_retries": 6}


async def in_flight(items: Iterable[T], handle: Callable[[T], Awaitable[None]], number: int) -> tuple[float, float]:
    """Handle all items, so many at a time; return wall and CPU seconds."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await handle(item)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(number)))
    return time.perf_counter() - wall, time.process_time() - cpu


async def sdk(url: str, conversations: list[list[Turn]], number: int) -> tuple[float, float]:
    """Hold the conversations through the SDK: turns one by one, judges of a turn beside the next turn."""
    import openai

    paths = ("target", *("judge" for _ in workload.JUDGES))
    target, *judges = [
        openai.AsyncOpenAI(base_url=f"{url}/{path}/v1", api_key="none", http_client=openai.DefaultAioHttpClient())
        for path in paths
    ]

    async def post(client: openai.AsyncOpenAI, body: dict[str, Any]) -> str:
        answer: Any = await client.post("/chat/completions", cast_to=object, body=body, options=_OPTIONS)
        return str(answer["choices"][0]["message"]["content"])

    async def converse(turns: list[Turn]) -> None:
        judging: list[asyncio.Task[str]] = []
        for turn in turns:
            await post(target, turn.target)
            judging += [asyncio.create_task(post(*pair)) for pair in zip(judges, turn.judges, strict=True)]
        await asyncio.gather(*judging)

    seconds = await in_flight(conversations, converse, number)
    for client in (target, *judges):
        await client.close()
    return seconds


async def raw(url: str, conversations: list[list[Turn]], number: int) -> tuple[float, float]:
    """Send every call of the conversations as fast as the server allows, so many at a time."""
    import aiohttp

    calls = [
        (f"{url}/{path}/v1/chat/completions", json.dumps(body, ensure_ascii=False).encode())
        for turns in conversations
        for turn in turns
        for path, body in (("target", turn.target), *(("judge", body) for body in turn.judges))
    ]
    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=number)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def post(call: tuple[str, bytes]) -> None:
            async with session.post(call[0], data=call[1]) as response:
                await response.read()
                response.raise_for_status()

        return await in_flight(calls, post, number)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bare loops for perf/run.py")
    parser.add_argument("kind", choices=("sdk", "raw"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--cases", required=True, type=Path)
    parser.add_argument("--in-flight", required=True, type=int)
    given = parser.parse_args()
    loop = {"sdk": sdk, "raw": raw}[given.kind]
    wall_, cpu_ = asyncio.run(loop(given.url, workload.conversations(given.cases), given.in_flight))
    print(json.dumps({"wall": wall_, "cpu": cpu_}))
