"""Calls that are tried again, over real sockets and both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, pauses
from jmedethic_pytest.models.client import Client

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["openai", "anthropic"])
def model(request: pytest.FixtureRequest, ref: Callable[..., ModelRef], monkeypatch: pytest.MonkeyPatch) -> ModelRef:
    monkeypatch.setattr(pauses, "FIRST", 0.001)
    return ref(kind=request.param)


async def _ask(client: Client, text: str = "hello") -> Any:
    request = ChatRequest((Message("user", text),), Sampling(timeout=20.0))
    return (await asyncio.gather(client.chat(request), return_exceptions=True))[0]


async def test_every_passing_trouble_is_tried_again_and_every_attempt_is_counted(
    server: Any, model: ModelRef, answer: Any
) -> None:
    """The first call meets all of them, the second one too: once the SDK sends, once the short way."""
    troubles = [
        *(server.error(status, "try later") for status in (408, 409, 429, 500, 502, 503, 529)),
        answer(drop="before"),
        answer(body="x" * 1000, drop="inside"),
    ]
    script: list[Any] = []
    server.script = lambda seen: script.pop(0)
    client = Client("target", model, None)
    for text in ("one", "two"):
        for trouble in troubles:
            script[:] = [trouble, "done"]
            reply = await _ask(client, f"{text} {trouble.status} {trouble.drop}")
            assert reply.text == "done", reply
    await client.aclose()
    count = 2 * len(troubles)
    assert client.tally.calls == len(server.seen) == 2 * count
    assert client.tally.failed == count


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Provider returned error", "code": 502}},
        {"error": {"message": "upstream is temporarily overloaded", "code": 429}},
        '{"choices": [{"message": {"con',
        "<html>bad gateway</html>",
        {"choices": [], "content": None},
        "[]",
    ],
    ids=["502 inside", "429 inside", "cut", "page", "no choices", "list"],
)
async def test_an_answer_that_is_none_is_asked_for_again(server: Any, model: ModelRef, answer: Any, body: Any) -> None:
    server.script = lambda seen: answer(body=body) if seen.number in (1, 2) else "done"
    client = Client("target", model, None)
    assert (await _ask(client, "first")).text == "done"
    assert (await _ask(client)).text == "done"
    await client.aclose()
    assert client.tally.calls == len(server.seen) == 4


_PART = {"message": {"content": "A part"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{**_PART, "error": {"code": 502, "message": "Upstream idle timeout"}, "finish_reason": "error"}]},
        {"choices": [{**_PART, "error": {"code": 429, "message": "Provider is busy"}}]},
        {"choices": [_PART], "error": {"code": 502, "message": "stream interrupted"}},
        {"choices": [{**_PART, "finish_reason": "abort"}]},
        {"choices": [{**_PART, "finish_reason": "insufficient_system_resource"}]},
        {"choices": [{"message": {"content": ""}, "finish_reason": None}], "usage": {"completion_tokens": 0}},
        {"choices": [{"delta": {"content": "A part"}, "finish_reason": "stop"}]},
        {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
        {"success": False, "errors": [{"code": 7009, "message": "Upstream service unavailable"}], "result": None},
        {"code": 500, "msg": "Internal Server Error", "success": False},
        {"error": {"error": {"code": 429, "message": "Too many requests"}}},
    ],
)
async def test_reply_beside_an_error_or_broken_off_is_asked_for_again(
    server: Any, ref: Callable[..., ModelRef], answer: Any, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.001)
    server.script = lambda seen: answer(body=body) if seen.number == 1 else "done"
    client = Client("target", ref(kind="openai"), None)
    assert [(await _ask(client, text)).text for text in ("first", "second")] == ["done", "done"]
    await client.aclose()
    assert client.tally.calls == len(server.seen) == 3


async def test_error_beside_a_reply_that_says_nothing_is_none(
    server: Any, ref: Callable[..., ModelRef], answer: Any
) -> None:
    silent = ({}, None, "", False, {"message": ""}, {"code": 0})
    script = [answer(body={"choices": [_PART], "error": error}) for error in silent]
    server.script = lambda seen: script[seen.number]
    client = Client("target", ref(kind="openai"), None)
    assert [(await _ask(client, f"call {number}")).text for number in range(len(silent))] == ["A part"] * len(silent)
    await client.aclose()
    assert len(server.seen) == len(silent)


async def test_text_in_a_shape_that_nobody_knows_is_shown_to_nobody(
    server: Any, ref: Callable[..., ModelRef], answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of another protocol may keep the model's reply where others keep an error."""
    monkeypatch.setattr(pauses, "FIRST", 0.001)
    native = {"message": {"role": "assistant", "content": "PRIVATE"}, "done": True}
    numbered = ({"code": code, "message": "PRIVATE"} for code in (0, 200, "0"))
    held = ({"Response": "PRIVATE"}, {"Response": {"Message": "PRIVATE"}})
    for text in (native, {"message": "PRIVATE", "status": "ok"}, *numbered, *held):
        server.script = lambda _, text=text: answer(body=text)
        client = Client("target", ref(kind="openai"), None)
        found = await _ask(client)
        await client.aclose()
        assert "unexpected shape" in str(found)
        assert "PRIVATE" not in str(found)


async def test_what_a_gateway_said_can_be_read_when_it_is_said_again_and_again(
    server: Any, model: ModelRef, answer: Any
) -> None:
    body = {"error": {"message": "Provider returned error", "metadata": {"raw": "x"}}}
    server.script = lambda seen: "ok" if seen.number == 0 else answer(body=body)
    client = Client("target", model, None)
    await _ask(client, "first")
    found = await _ask(client)
    await client.aclose()
    assert type(found) is ProviderError
    assert "Provider returned error" in str(found)


async def test_retry_after_is_kept(server: Any, model: ModelRef) -> None:
    """Without the header the first retry would come after a millisecond."""
    slow = server.error(429, "slow down", headers={"retry-after-ms": "", "Retry-After": "1"})
    server.script = lambda seen: slow if seen.number == 0 else "done"
    client, loop = Client("target", model, None), asyncio.get_running_loop()
    begun = loop.time()
    assert (await _ask(client)).text == "done"
    await client.aclose()
    assert loop.time() - begun >= 1.0


async def test_account_without_credit_ends_the_run_at_the_first_refusal(server: Any, model: ModelRef) -> None:
    gone = server.error(429, "You exceeded your current quota", type="insufficient_quota", code="insufficient_quota")
    server.script = lambda seen: "ok" if seen.number == 0 else gone
    client = Client("target", model, None)
    await _ask(client, "first")
    found = [await _ask(client, f"call {number}") for number in range(3)]
    await client.aclose()
    assert {type(item) for item in found} == {RunAborted}
    assert "exceeded your current quota" in str(found[0])
    assert "credit" in str(found[0])
    assert len(server.seen) == 2


async def test_filter_in_another_s_words_is_a_block(server: Any, model: ModelRef, answer: Any) -> None:
    inside = {"error": {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}}
    server.script = lambda seen: {"inside": answer(body=inside), "outside": answer(status=400, body=inside)}[seen.last]
    client = Client("target", model, None)
    assert [(await _ask(client, text)).status for text in ("inside", "outside", "inside")] == ["blocked"] * 3
    await client.aclose()


async def test_text_beside_a_filter_s_words_is_no_refusal(
    server: Any, ref: Callable[..., ModelRef], answer: Any
) -> None:
    """A reply that was shown is never judged as a block, nor as all that was said."""
    flagged = {"message": "output was flagged", "code": "content_filter"}
    script = [
        answer(body={"choices": [_PART], "error": flagged}),
        answer(body={"choices": [{**_PART, "error": flagged}]}),
        answer(body={"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "error": flagged}),
    ]
    server.script = lambda seen: script[seen.number]
    client = Client("target", ref(kind="openai"), None)
    first, second, third = [await _ask(client, f"call {number}") for number in range(3)]
    await client.aclose()
    assert third.status == "blocked"
    for found in (first, second):
        assert isinstance(found, ProviderError)
        assert found.trouble == "request"
