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

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import Dialect, ProviderTable
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
async def test_a_failed_later_call_is_the_sdk_s_error_and_leaves_nothing_for_the_next(
    server: Any, model: ModelRef, answer: Any, trouble: str
) -> None:
    def script(seen: Any) -> Any:
        if seen.number != 1:
            return "ok"
        return server.error(500, "for a moment") if trouble == "status" else answer(body=b"{}" * 50, drop=trouble)

    server.script = script
    async with opened(model) as chat:
        assert (await chat()).text == "ok"
        with pytest.raises(ProviderError, match="HTTP 500: for a moment" if trouble == "status" else "no connection"):
            await chat("again")
        assert (await chat("next")).text == "ok"
    assert len(server.seen) == 3


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
        with pytest.raises(ProviderError) as caught:
            await chat()
        await chat()
    assert observed == [(200, None), (429, "1"), (200, None)]
    assert (caught.value.trouble, caught.value.pause) == ("wait", 0.001)


async def test_compressed_answers_are_read_on_both_ways(server: Any, ref: Callable[..., ModelRef], answer: Any) -> None:
    plain = server.openai("圧縮された返答").body
    packed = answer(body=gzip.compress(json.dumps(plain).encode()), headers={"Content-Encoding": "gzip"})
    server.script = lambda seen: packed
    async with opened(ref()) as chat:
        assert [(await chat()).text, (await chat()).text] == ["圧縮された返答"] * 2
    assert "gzip" in server.seen[1].headers["accept-encoding"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_both_addresses_are_named(
    server: Any, model: ModelRef, answer: Any, status: int
) -> None:
    """A conversation, and a key with it, must not go to another host because one answer says so."""
    moved = answer(status=status, body={}, headers={"Location": "http://elsewhere.example/v1?token=secret"})
    server.script = lambda seen: "ok" if seen.number == 1 else moved
    async with opened(model) as chat:
        for _ in ("the SDK's way", "the short way"):
            with pytest.raises(ProviderError) as caught:
                await chat()
            assert f"127.0.0.1:{server.port}" in str(caught.value)
            assert "redirects to http://elsewhere.example/v1?token=..." in str(caught.value)
            assert caught.value.trouble == "dead"
            if len(server.seen) == 1:
                await chat()
    assert len(server.seen) == 3


def _bomb() -> bytes:
    """Return ten megabytes in ten thousand bytes."""
    return gzip.compress(b'{"choices": [{"message": {"content": "' + b"A" * 10_000_000 + b'"}}]}', 9)


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_is_read_up_to_its_limit_however_it_is_packed(
    server: Any, model: ModelRef, answer: Any, packed: bool
) -> None:
    body, headers = (_bomb(), {"Content-Encoding": "gzip"}) if packed else ('"' + "A" * 3_000_000 + '"', {})
    server.script = lambda seen: "ok" if seen.number == 1 else answer(body=body, headers=headers)
    async with opened(model) as chat:
        for _ in ("the SDK's way", "the short way"):
            with pytest.raises(ProviderError, match="larger than 2,000,000 bytes") as caught:
                await chat()
            assert caught.value.trouble == "request"
            if len(server.seen) == 1:
                await chat()


@pytest.mark.parametrize(
    "raw", [b"PRIVATE", b"HTTP/1.1 200 OK\r\n: PRIVATE\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"P" * 80_000]
)
async def test_what_an_answer_against_the_protocol_holds_is_not_quoted(
    ref: Callable[..., ModelRef], raw: bytes
) -> None:
    """It may be the rest of a reply, whose length a server stated wrongly."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(raw)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as odd:
        model = dataclasses.replace(
            ref(kind="openai"), base_url=f"http://127.0.0.1:{odd.sockets[0].getsockname()[1]}/v1"
        )
        async with opened(model) as ask:
            with pytest.raises(ProviderError, match="no connection") as failed:
                await ask("x")
    assert "P" * 5 not in str(failed.value)
    assert "PRIVATE" not in str(failed.value)


async def test_a_long_header_is_read(server: Any, model: ModelRef, answer: Any) -> None:
    plain = server.openai("fine") if model.kind == "openai" else server.anthropic("fine")
    server.script = lambda seen: dataclasses.replace(plain, headers={"x-trace": "a" * 9000})
    async with opened(model) as chat:
        assert [(await chat()).text, (await chat()).text] == ["fine", "fine"]


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
