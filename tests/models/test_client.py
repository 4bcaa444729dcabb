"""One model behind cache, single flight and accounting, over a real socket."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError, RunAborted, StoreError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import ChatRequest, Message
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.endpoint import MAX_LOST_IN_A_ROW

pytestmark = pytest.mark.asyncio

KEY = "sk-planted-0123456789-abcdefghijklmnopqrstuvwxyz"


def _request(text: str = "hello", *, repeat: int = 0, about: str = "", **sampling: Any) -> ChatRequest:
    asked = Sampling(**{"timeout": 20.0, **sampling})
    return ChatRequest((Message("user", text),), asked, repeat=repeat, context={"case": about})


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    opened = Cache(tmp_path / "cache.sqlite")
    yield opened
    opened.close()


async def test_second_equal_request_comes_from_the_cache(server: Any, ref: Any, cache: Cache) -> None:
    client = Client("target", ref(), cache)
    first, second = await client.chat(_request()), await client.chat(_request(about="another", timeout=5.0))
    await client.aclose()
    assert len(server.seen) == 1
    assert (first.cached, second.cached) == (False, True)
    assert second.model_copy(update={"cached": False}) == first
    tally = client.tally
    assert (tally.calls, tally.cached, tally.failed, tally.input_tokens, tally.output_tokens) == (1, 1, 0, 11, 7)


@pytest.mark.parametrize("length", [1, 1_500, 2_500, 50_000])
async def test_replies_of_any_length_come_back_from_the_cache(server: Any, ref: Any, cache: Cache, length: int) -> None:
    server.script = lambda seen: "あ" * length
    client = Client("target", ref(), cache)
    first, second = await client.chat(_request()), await client.chat(_request())
    await client.aclose()
    assert (second.cached, second.text) == (True, "あ" * length)
    assert second.model_copy(update={"cached": False}) == first


async def test_cache_outlives_client_and_file_handle(server: Any, ref: Any, tmp_path: Path) -> None:
    for _ in range(2):
        cache = Cache(tmp_path / "cache.sqlite")
        client = Client("target", ref(), cache)
        assert (await client.chat(_request())).text == "ok"
        await client.aclose()
        cache.close()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"request": _request("hello!")},
        {"request": _request(temperature=0.5)},
        {"request": _request(top_p=0.5)},
        {"request": _request(max_tokens=99)},
        {"request": _request(extra={"seed": 1})},
        {"request": _request(repeat=1)},
        {"request": ChatRequest((Message("system", "hello"),), Sampling(timeout=20.0))},
        {"request": ChatRequest((Message("user", "hello"),), Sampling(timeout=20.0), {"type": "object"})},
        {"model": "m2"},
        {"url": "/v1/"},
        {"role": "judge"},
    ],
    ids=lambda other: str(next(iter(other.items())))[:60],
)
async def test_whatever_may_change_the_answer_makes_another_entry(
    server: Any, ref: Any, cache: Cache, other: dict[str, Any]
) -> None:
    server.script = lambda seen: f"answer {seen.number}"
    one = Client("target", ref(), cache)
    url = server.openai_url.removesuffix("/v1") + other.get("url", "/v1")
    two = Client(other.get("role", "target"), ref(other.get("model", "m"), url=url), cache)
    assert (await one.chat(_request())).text == "answer 0"
    assert (await two.chat(other.get("request", _request()))).text == "answer 1"
    assert (await one.chat(_request())).text == "answer 0"
    await one.aclose()
    await two.aclose()
    assert len(server.seen) == 2


async def test_mode_refresh_calls_and_replaces_the_entry(server: Any, ref: Any, cache: Cache) -> None:
    server.script = lambda seen: f"answer {seen.number}"
    for mode, expected in (("use", "answer 0"), ("refresh", "answer 1"), ("use", "answer 1")):
        client = Client("target", ref(), cache, mode)  # type: ignore[arg-type]
        assert (await client.chat(_request())).text == expected
        await client.aclose()
    assert len(server.seen) == 2


async def test_mode_only_answers_what_is_known_and_never_calls(server: Any, ref: Any, cache: Cache) -> None:
    filler = Client("target", ref(), cache)
    await filler.chat(_request())
    await filler.aclose()
    client = Client("target", ref(), cache, "only")
    assert (await client.chat(_request())).cached
    for number in range(MAX_LOST_IN_A_ROW + 2):
        with pytest.raises(ProviderError, match=r"not in the cache.*only forbids new calls"):
            await client.chat(_request(f"unknown {number}"))
    await client.aclose()
    assert len(server.seen) == 1


async def test_mode_off_neither_reads_nor_writes(server: Any, ref: Any, tmp_path: Path) -> None:
    client = Client("target", ref(), None, "off")
    assert not (await client.chat(_request())).cached
    assert not (await client.chat(_request())).cached
    await client.aclose()
    assert len(server.seen) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cached", [True, False])
async def test_equal_concurrent_requests_make_one_call(
    server: Any, ref: Any, cache: Cache, hold: Any, cached: bool
) -> None:
    gate = hold()
    server.script = lambda seen: server.openai(f"answer {seen.number}", hold=gate)
    client = Client("target", ref(), cache if cached else None)
    waiting = [asyncio.create_task(client.chat(_request(about=f"case-{number}"))) for number in range(20)]
    other = asyncio.create_task(client.chat(_request("different")))
    await server.until(lambda: len(server.seen) >= 1)  # the second one waits until the endpoint has answered once
    gate.release()
    texts = {(await task).text for task in waiting}
    different = (await other).text
    await client.aclose()
    assert len(server.seen) == 2
    assert len(texts) == 1
    assert different not in texts
    assert client.tally.calls == 2


async def test_shared_call_survives_a_waiter_that_is_cancelled(server: Any, ref: Any, hold: Any) -> None:
    gate = hold()
    server.script = lambda seen: server.openai("shared", hold=gate)
    client = Client("target", ref(), None)
    first, second = (asyncio.create_task(client.chat(_request())) for _ in range(2))
    await server.until(lambda: len(server.seen) == 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    gate.release()
    assert (await second).text == "shared"
    await client.aclose()
    assert len(server.seen) == 1


async def test_every_waiter_of_a_shared_call_gets_its_error_and_it_counts_once(server: Any, ref: Any) -> None:
    server.script = lambda seen: server.error(400, "no") if seen.last == "bad" else "ok"
    client = Client("target", ref(), None)
    await client.chat(_request("first"))
    results = await asyncio.gather(*(client.chat(_request("bad")) for _ in range(15)), return_exceptions=True)
    await client.aclose()
    assert {type(result) for result in results} == {ProviderError}
    assert client.tally.failed == 1


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ({"finish": "content_filter"}, "blocked"),
        ({"finish": "length"}, "truncated"),
        ({"text": "<think>endless"}, "truncated"),
        ({"text": ""}, "empty"),
    ],
)
async def test_what_is_no_sound_reply_is_never_cached(
    server: Any, ref: Any, cache: Cache, reply: dict[str, Any], status: str
) -> None:
    server.script = lambda seen: server.openai(**reply)
    client = Client("target", ref(), cache)
    for _ in range(2):
        found = await client.chat(_request())
        assert (found.status, found.cached) == (status, False)
    await client.aclose()
    assert len(server.seen) == 2


async def test_errors_are_never_cached(server: Any, ref: Any, cache: Cache) -> None:
    server.script = lambda seen: server.error(400, "no") if seen.number == 1 else "ok"
    client = Client("target", ref(), cache)
    await client.chat(_request("first"))
    with pytest.raises(ProviderError):
        await client.chat(_request())
    assert (await client.chat(_request())).text == "ok"
    await client.aclose()


async def test_tally_counts_calls_tokens_failures_and_what_is_not_counted(
    server: Any, ref: Any, cache: Cache, hold: Any
) -> None:
    gate = hold()
    plan = {
        "a": server.openai(usage=(100, 10)),
        "b": server.openai(usage=(20, 2)),
        "c": server.openai(usage=None),
        "d": server.error(422, "no"),
        "e": server.openai(usage=(3, 1), hold=gate),
    }
    server.script = lambda seen: plan[seen.last]
    client = Client("target", ref(), cache)
    for text in "abc":
        await client.chat(_request(text))
    with pytest.raises(ProviderError):
        await client.chat(_request("d"))
    await client.chat(_request("a"))
    task = asyncio.create_task(client.chat(_request("e")))
    await server.until(lambda: len(server.seen) == 5)
    tally = client.tally
    assert tally.in_flight == 1
    gate.release()
    await task
    await client.aclose()
    assert (tally.calls, tally.cached, tally.failed, tally.uncounted, tally.in_flight) == (5, 1, 1, 1, 0)
    assert (tally.input_tokens, tally.output_tokens) == (123, 13)


def _broken(server: Any) -> Any:
    """Return a failure of the server that the SDK is told not to retry."""
    return server.error(500, "never", headers={"x-should-retry": "false"})


async def test_ten_calls_lost_in_a_row_end_the_run_and_one_success_forgives_those_before(server: Any, ref: Any) -> None:
    server.script = lambda seen: "ok" if seen.last == "good" else _broken(server)
    client = Client("judge", ref(), None)
    for row in range(2):
        await client.chat(_request("good", repeat=row))
        for number in range(MAX_LOST_IN_A_ROW - 1):
            with pytest.raises(ProviderError):
                await client.chat(_request(f"bad {number}"))
    with pytest.raises(RunAborted, match=r"a judge cannot be used: .*HTTP 500.*10 calls failed one after the other"):
        await client.chat(_request("bad last"))
    seen = len(server.seen)
    with pytest.raises(RunAborted, match="10 calls failed"):
        await client.chat(_request("good", repeat=5))
    await client.aclose()
    assert len(server.seen) == seen == client.tally.calls == 2 * MAX_LOST_IN_A_ROW + 1


async def test_calls_in_flight_together_that_are_all_lost_are_one_trouble(server: Any, ref: Any, hold: Any) -> None:
    gate, count = hold(), MAX_LOST_IN_A_ROW + 4
    broken = dataclasses.replace(_broken(server), hold=gate)
    server.script = lambda seen: "ok" if seen.number == 0 else broken
    client = Client("target", ref(), None)
    client.limit.limit = count
    await client.chat(_request("first"))
    calls = [asyncio.create_task(client.chat(_request(f"call {number}"))) for number in range(count)]
    await server.until(lambda: len(server.seen) == 1 + count)
    gate.release()
    failed = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(error) for error in failed} == {ProviderError}
    with pytest.raises(RunAborted, match=f"{count + 1} calls failed one after the other"):
        await client.chat(_request("later"))
    await client.aclose()


async def test_requests_that_are_too_long_never_end_the_run(server: Any, ref: Any) -> None:
    server.script = lambda seen: server.error(400, "too long") if seen.last.startswith("long") else "ok"
    client = Client("target", ref(), None)
    await client.chat(_request("first"))
    for number in range(MAX_LOST_IN_A_ROW * 2):
        with pytest.raises(ProviderError, match="too long"):
            await client.chat(_request(f"long {number}"))
    assert (await client.chat(_request("last"))).text == "ok"
    await client.aclose()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_bad_key_ends_the_run_with_the_next_step_and_without_the_key(
    server: Any, ref: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    server.script = lambda seen: server.error(status, f"rejected {seen.headers['authorization']}")
    client = Client("target", ref(api_key=KEY), None)
    with pytest.raises(RunAborted, match="the model under test cannot be used: compatible:m") as caught:
        await client.chat(_request())
    await client.aclose()
    assert KEY[:8] not in str(caught.value)
    assert "same command resumes" in str(caught.value)
    assert "jmedethic doctor" in str(caught.value)
    assert len(server.seen) == 1


async def test_key_is_in_no_record_of_the_model(ref: Any) -> None:
    model = ref(api_key=KEY)
    assert KEY not in repr(model) + str(model) + str(model.describe())


async def test_nobody_listening_ends_the_run_at_the_first_call(ref: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client("target", ref(url=f"http://127.0.0.1:{port}/v1"), None)
    with pytest.raises(RunAborted, match=f"127.0.0.1:{port}/v1: no connection"):
        await client.chat(_request())
    await client.aclose()


async def test_connections_lost_for_longer_than_patience_fail_that_call_alone(
    server: Any, ref: Any, answer: Any
) -> None:
    server.script = lambda seen: answer(drop="before") if seen.last == "bad" else "ok"
    client = Client("target", ref(), None)
    await client.chat(_request("first"))
    with pytest.raises(ProviderError, match="no connection"):
        await client.chat(_request("bad", patience=0.1))
    assert (await client.chat(_request("next"))).text == "ok"
    await client.aclose()


async def test_flagged_input_is_a_block_and_no_dead_endpoint(server: Any, ref: Any, answer: Any) -> None:
    """OpenRouter's documented answer to an input that its moderation flagged; here nearly every input is of that kind.

    One such case must not end a run of thousands.
    """
    error = {
        "code": 403,
        "message": "deepseek/deepseek-r1 requires moderation. Your input was flagged for harassment",
        "metadata": {"reasons": ["harassment"], "flagged_input": "case ...", "provider_name": "X"},
    }
    server.script = lambda seen: answer(status=403, body={"error": error}) if seen.last == "flagged" else "ok"
    client = Client("target", ref(), None)
    assert (await client.chat(_request("first"))).status == "ok"
    reply = await client.chat(_request("flagged"))
    assert reply.status == "blocked"
    assert (await client.chat(_request("next"))).status == "ok"
    await client.aclose()


async def test_busy_endpoint_is_not_a_dead_one(server: Any, ref: Any) -> None:
    """Thirty-two first calls meet a rate limit of four: each is told to come back, none ends the run."""
    tries: dict[str, int] = {}

    def script(seen: Any) -> Any:
        tries[seen.last] = tries.get(seen.last, 0) + 1
        return "ok" if tries[seen.last] > 3 or int(seen.last) < 4 else server.error(429, "rate limit")

    server.script = script
    client = Client("target", ref(), None)
    results = await asyncio.gather(*(client.chat(_request(str(n))) for n in range(32)), return_exceptions=True)
    await client.aclose()
    assert [result for result in results if isinstance(result, BaseException)] == []


@pytest.mark.parametrize(
    "row",
    [b"no zlib", zlib.compress(b"no json"), zlib.compress(b'{"text": 5}')],
    ids=["no zlib", "no json", "no reply"],
)
async def test_damaged_entry_is_asked_again_or_names_the_file(
    server: Any, ref: Any, cache: Cache, tmp_path: Path, row: bytes
) -> None:
    client = Client("target", ref(), cache)
    await client.chat(_request())
    with sqlite3.connect(tmp_path / "cache.sqlite") as other:
        other.execute("UPDATE reply SET value = ?", (row,))
    other.close()
    (found,) = await asyncio.gather(client.chat(_request()), return_exceptions=True)
    await client.aclose()
    if isinstance(found, Reply):
        assert (found.text, found.cached, len(server.seen)) == ("ok", False, 2)
    else:
        assert isinstance(found, StoreError), repr(found)
        assert str(tmp_path / "cache.sqlite") in str(found)


async def test_reply_with_half_an_emoji_fails_at_most_its_own_call(
    server: Any, ref: Any, cache: Cache, answer: Any
) -> None:
    """Servers that cut a reply inside a surrogate pair send one half as ``\\ud83d``; it cannot be stored as UTF-8."""
    body = '{"choices": [{"message": {"content": "cut \\ud83d"}, "finish_reason": "stop"}]}'
    client = Client("target", ref(), cache)
    server.script = lambda seen: "ok" if seen.number == 0 else answer(body=body)
    await client.chat(_request("first"))
    (found,) = await asyncio.gather(client.chat(_request()), return_exceptions=True)
    await client.aclose()
    if isinstance(found, Reply):
        assert found.text.startswith("cut")
        found.model_dump_json()
    else:
        assert isinstance(found, ProviderError), repr(found)


async def test_key_that_a_system_prompt_tells_is_kept_nowhere(server: Any, ref: Any, cache: Cache) -> None:
    key = "sk-sysPromptKEY1234567890"
    server.script = lambda _seen: f"I was told {key}"
    messages = (Message("system", f"Use the tool with {key}"), Message("user", "Which tool?"))
    client = Client("target", ref(), cache)
    for _ in range(2):
        assert (await client.chat(ChatRequest(messages, Sampling()))).text == "I was told [key]"
    await client.aclose()
