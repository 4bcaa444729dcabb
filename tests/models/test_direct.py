"""The connections under the SDKs: the short way of a call that succeeds, and what is left to the SDK."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jmedethic_pytest.config.servers import Dialect, ProviderTable
from jmedethic_pytest.config.tables import Sampling
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, Provider, open_provider, resolve

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["openai", "anthropic"])
def model(request: pytest.FixtureRequest, ref: Callable[..., ModelRef]) -> ModelRef:
    return ref(kind=request.param)


@asynccontextmanager
async def opened(model: ModelRef, observe: Any = None) -> AsyncIterator[Callable[..., Awaitable[Reply]]]:
    provider: Provider = open_provider(model, observe)

    async def chat(text: str = "hello") -> Reply:
        return await provider.chat(ChatRequest((Message("user", text),), Sampling(timeout=20.0)), patient=False)

    try:
        yield chat
    finally:
        await provider.aclose()


async def test_later_calls_carry_what_the_sdk_wrote_into_the_first(server: Any, model: ModelRef) -> None:
    async with opened(model) as chat:
        replies = [await chat("一つ目"), await chat("一つ目"), await chat("another")]
    assert [reply.text for reply in replies] == ["ok"] * 3
    first, second, third = server.seen
    assert first.path == second.path == third.path
    assert first.body == second.body
    changing = {"host", "connection", "content-length", "accept-encoding", "x-stainless-retry-count"}
    kept = {name: value for name, value in first.headers.items() if name not in changing}
    assert len(kept) > 5
    assert kept.items() <= second.headers.items()
    assert third.headers["content-type"] == "application/json"


@pytest.mark.parametrize("trouble", ["status", "before", "inside"])
async def test_the_sdk_takes_a_failed_later_call_for_its_own_first_attempt(
    server: Any, model: ModelRef, answer: Any, trouble: str
) -> None:
    def script(seen: Any) -> Any:
        if seen.number != 1:
            return "ok"
        return server.error(500, "for a moment") if trouble == "status" else answer(body=b"{}" * 50, drop=trouble)

    server.script = script
    async with opened(model) as chat:
        assert (await chat()).text == "ok"
        assert (await chat("again")).text == "ok"
    counts = [seen.headers.get("x-stainless-retry-count") for seen in server.seen]
    assert counts == ["0", None, "1"]  # the retry knows that it is one
    assert server.seen[1].body == server.seen[2].body


async def test_as_many_attempts_as_ever_and_nothing_of_them_is_left_for_the_next_call(
    server: Any, model: ModelRef
) -> None:
    server.script = lambda seen: server.error(500, "down") if 1 <= seen.number <= 2 else "ok"
    async with opened(model) as chat:
        await chat()
        with pytest.raises(ProviderError, match="HTTP 500: down"):
            await chat("lost")  # one retry, since the call is not patient
        assert len(server.seen) == 3
        assert (await chat("next")).text == "ok"
    assert len(server.seen) == 4


async def test_calls_at_the_same_time_do_not_mix_their_outcomes(server: Any, model: ModelRef) -> None:
    def script(seen: Any) -> Any:
        return server.error(400, f"no: {seen.last}") if seen.last.startswith("bad") else f"yes: {seen.last}"

    server.script = script
    async with opened(model) as chat:
        await chat()
        texts = [f"{'bad' if number % 3 == 0 else 'good'} {number}" for number in range(30)]
        found = await asyncio.gather(*(chat(text) for text in texts), return_exceptions=True)
    for text, outcome in zip(texts, found, strict=True):
        if text.startswith("bad"):
            assert isinstance(outcome, ProviderError)
            assert f"no: {text}" in str(outcome)
        else:
            assert isinstance(outcome, Reply)
            assert outcome.text == f"yes: {text}"


async def test_every_answer_is_observed_once_with_its_headers(server: Any, model: ModelRef) -> None:
    observed: list[tuple[int, str | None]] = []
    server.script = lambda seen: (
        server.error(429, "slow", headers={"X-Left": str(seen.number)}) if seen.number == 1 else "ok"
    )
    async with opened(model, lambda status, headers: observed.append((status, headers.get("x-left")))) as chat:
        await chat()
        await chat()
    assert observed == [(200, None), (429, "1"), (200, None)]


async def test_compressed_answers_are_read_on_both_ways(server: Any, ref: Callable[..., ModelRef], answer: Any) -> None:
    plain = server.openai("圧縮された返答").body
    packed = answer(body=gzip.compress(json.dumps(plain).encode()), headers={"Content-Encoding": "gzip"})
    server.script = lambda seen: packed
    async with opened(ref()) as chat:
        assert [(await chat()).text, (await chat()).text] == ["圧縮された返答"] * 2
    assert "gzip" in server.seen[1].headers["accept-encoding"]


async def test_redirects_are_followed_on_both_ways(server: Any, ref: Callable[..., ModelRef], answer: Any) -> None:
    def script(seen: Any) -> Any:
        moved = answer(status=307, body={}, headers={"Location": "/moved" + seen.path})
        return "ok" if seen.path.startswith("/moved") else moved

    server.script = script
    async with opened(ref()) as chat:
        assert [(await chat("a")).text, (await chat("b")).text] == ["ok", "ok"]
    assert [seen.path.startswith("/moved") for seen in server.seen] == [False, True, False, True]
    assert server.seen[3].last == "b"


@pytest.mark.parametrize(
    ("variable", "exempt", "through"),
    [
        ("HTTP_PROXY", "", True),
        ("ALL_PROXY", "", True),
        ("HTTPS_PROXY", "", False),
        ("HTTP_PROXY", "models.test", False),
    ],
)
async def test_proxies_of_the_environment_are_used(
    server: Any, ref: Any, monkeypatch: pytest.MonkeyPatch, variable: str, exempt: str, through: bool
) -> None:
    monkeypatch.setenv(variable, server.anthropic_url)
    monkeypatch.setenv("NO_PROXY", exempt)
    async with opened(ref(url="http://models.test/v1")) as chat:
        if through:
            assert [(await chat()).text, (await chat()).text] == ["ok", "ok"]
            assert [seen.headers["host"] for seen in server.seen] == ["models.test"] * 2
        else:
            with pytest.raises(ProviderError, match="no connection: ConnectError"):
                await chat()
            assert not server.seen


async def test_direct_false_sends_the_same_and_leaves_every_call_to_the_sdk(server: Any, model: ModelRef) -> None:
    """The SDK counts its retries in a header of each request that it builds; the short way sends none."""
    for way in (model, dataclasses.replace(model, dialect=Dialect(direct=False))):
        async with opened(way) as chat:
            assert [(await chat("一つ目")).text for _ in range(3)] == ["ok"] * 3
    short, own = server.seen[:3], server.seen[3:]
    assert [seen.headers.get("x-stainless-retry-count") for seen in server.seen] == ["0", None, None, "0", "0", "0"]
    for one, other in zip(short, own, strict=True):
        assert (one.path, one.body) == (other.path, other.body)
        assert one.headers.items() - {("x-stainless-retry-count", "0")} <= other.headers.items()


@pytest.mark.parametrize(("given", "wanted"), [({}, True), ({"direct": False}, False)])
async def test_the_thresholds_file_switches_the_short_way_off(given: dict[str, Any], wanted: bool) -> None:
    table = ProviderTable(base_url="http://localhost:1/v1", **given)
    assert resolve("mine:m", place="--model", providers={"mine": table}).dialect.direct is wanted
