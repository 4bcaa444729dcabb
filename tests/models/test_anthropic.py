"""The Anthropic transport over a real socket: what is sent, what is read, how failures are worded."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from jmedethic_pytest.config.servers import ProviderTable
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import open_provider

pytestmark = pytest.mark.asyncio

KEY = "sk-ant-planted-0123456789-abcdefghijklmnopqrstuvwxyz"
SCHEMA = {"type": "object", "properties": {"score": {"type": "number"}}}
SPEC = "compatible-anthropic:m"


def _blocks(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, kind: text} for kind, text in pairs]


async def test_system_prompt_travels_apart_from_the_messages(server: Any, ask: Any) -> None:
    turns = [("user", "一つ目"), ("assistant", "reply"), ("user", "two")]
    reply = await ask(SPEC, [("system", "be brief"), *turns], temperature=0.3, top_p=0.9, max_tokens=77)
    (seen,) = server.seen
    assert seen.path == "/v1/messages"
    assert seen.headers["anthropic-version"]
    assert seen.body == {
        "model": "m",
        "system": "be brief",
        "messages": [{"role": role, "content": text} for role, text in turns],
        "max_tokens": 77,
        "temperature": 0.3,
        "top_p": 0.9,
        "stream": False,
    }
    assert reply.sent == {"max_tokens": 77, "temperature": 0.3, "top_p": 0.9}


async def test_without_a_system_prompt_no_field_is_sent(server: Any, ask: Any) -> None:
    await ask(SPEC, temperature=None)
    assert set(server.seen[0].body) == {"model", "messages", "max_tokens", "stream"}


@pytest.mark.parametrize(
    ("model", "takes_sampling"), [("claude-sonnet-4-5", False), ("claude-opus-5", False), ("claude-3-5-haiku", True)]
)
async def test_only_the_older_models_get_sampling(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, model: str, takes_sampling: bool
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_url)
    await ask(f"anthropic:{model}", temperature=0.5)
    assert ("temperature" in server.seen[0].body) is takes_sampling
    assert KEY in server.seen[0].headers.get("x-api-key", server.seen[0].headers.get("authorization", ""))


@pytest.mark.parametrize("structured", ["schema", "object", "prompt"])
async def test_output_config_follows_the_structured_mode(server: Any, ask: Any, structured: str) -> None:
    table = {"gw": ProviderTable(kind="anthropic", structured=structured)}  # type: ignore[arg-type]
    await ask(f"gw:m@{server.anthropic_url}", schema=SCHEMA, providers=table)
    expected = {"format": {"type": "json_schema", "schema": SCHEMA}} if structured == "schema" else None
    assert server.seen[0].body.get("output_config") == expected


async def test_extra_parameters_pass_through_as_they_are(server: Any, ask: Any) -> None:
    extra = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    reply = await ask(SPEC, extra=extra)
    assert server.seen[0].body["thinking"] == extra["thinking"]
    assert reply.sent["thinking"] == extra["thinking"]


async def test_no_secret_of_another_provider_reaches_a_server(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_WEBHOOK_SIGNING_KEY", "OPENAI_API_KEY")
    planted = {name: f"planted-{name.lower()}-secret" for name in names}
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    await ask(SPEC)
    sent = json.dumps([dict(server.seen[0].headers), server.seen[0].body])
    assert [name for name, value in planted.items() if value in sent] == []


async def test_reply_keeps_usage_served_model_and_stop_reason(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.anthropic("hello", model="claude-served-1", usage=(50, 6))
    reply = await ask(SPEC)
    assert (reply.text, reply.status, reply.finish, reply.model) == ("hello", "ok", "end_turn", "claude-served-1")
    assert (reply.usage.input, reply.usage.output) == (50, 6)


async def test_tokens_of_the_prompt_cache_are_a_part_of_the_input(server: Any, ask: Any) -> None:
    counts = {"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 7, "output_tokens": 2}
    server.script = lambda seen: server.anthropic(usage=counts)
    used = (await ask(SPEC)).usage
    assert (used.input, used.output, used.cached, used.cache_write) == (102, 2, 90, 7)


async def test_thinking_blocks_are_split_off_and_text_blocks_joined(server: Any, ask: Any) -> None:
    blocks = [
        *_blocks(("thinking", "secret"), ("text", "one ")),
        {"type": "redacted_thinking", "data": "x"},
        *_blocks(("text", "two")),
    ]
    server.script = lambda seen: server.anthropic(blocks)
    reply = await ask(SPEC)
    assert (reply.text, reply.reasoning, reply.status) == ("one two", "secret", "ok")


async def test_refusal_without_text_is_a_block(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.anthropic([], stop="refusal")
    reply = await ask(SPEC)
    assert (reply.text, reply.status, reply.finish) == ("", "blocked", "refusal")


async def test_refusal_after_some_text_keeps_the_text_for_the_judges(server: Any, ask: Any) -> None:
    """What was written before the classifier stopped it was shown, so it is judged."""
    server.script = lambda seen: server.anthropic("First, take the chart and", stop="refusal")
    reply = await ask(SPEC)
    assert (reply.text, reply.finish) == ("First, take the chart and", "refusal")


async def test_output_blocked_by_the_filter_with_400_is_a_block(server: Any, ask: Any, answer: Any) -> None:
    """The public API's own wording."""
    body = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
    }
    server.script = lambda seen: answer(status=400, body=body)
    reply = await ask(SPEC)
    assert reply.status == "blocked"


@pytest.mark.parametrize("stop", ["max_tokens", "model_context_window_exceeded"])
async def test_cut_replies_are_truncations_even_if_the_text_looks_whole(server: Any, ask: Any, stop: str) -> None:
    server.script = lambda seen: server.anthropic("Looks complete.", stop=stop)
    reply = await ask(SPEC)
    assert reply.status == "truncated"


async def test_all_tokens_spent_on_thinking_is_a_truncation(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.anthropic(_blocks(("thinking", "on and on")), stop="max_tokens")
    reply = await ask(SPEC)
    assert (reply.text, reply.status) == ("", "truncated")


async def test_unclosed_think_block_is_a_truncation_and_no_answer(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.anthropic("<think>10, or perhaps")
    reply = await ask(SPEC)
    assert (reply.text, reply.status) == ("", "truncated")


@pytest.mark.parametrize("content", [[], "", " \n", [{"type": "thinking", "thinking": "only"}]])
async def test_empty_content_is_target_empty(server: Any, ask: Any, content: Any) -> None:
    server.script = lambda seen: server.anthropic(content)
    reply = await ask(SPEC)
    assert (reply.text, reply.status) == ("", "empty")


_ODD: dict[str, Any] = {
    "empty object": {},
    "null content": {"content": None},
    "text for content": {"content": "hello"},
    "error": {"type": "error", "error": {"message": "overloaded"}},
    "list": [],
    "nothing": "",
    "cut json": '{"content": [',
    "html": "<!doctype html><title>proxy</title>",
    "text for block": {"content": ["hello"]},
    "odd token counts": {"content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 0.5}},
    "text for usage": {"content": [{"type": "text", "text": "hi"}], "usage": "none"},
    "half an emoji": '{"content": [{"type": "text", "text": "cut \\ud83d emoji"}], "stop_reason": "end_turn"}',
}


@pytest.mark.parametrize("odd", _ODD)
async def test_unusable_answers_with_200_fail_that_call_alone(server: Any, ask: Any, answer: Any, odd: str) -> None:
    server.script = lambda seen: answer(body=_ODD[odd])
    (found,) = await asyncio.gather(ask(SPEC), return_exceptions=True)
    if isinstance(found, Reply):
        assert found.text
        found.model_dump_json()
    else:
        assert isinstance(found, ProviderError), repr(found)
        assert SPEC in str(found)
        assert not found.fatal


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_bad_key_or_model_is_fatal_at_once_and_never_shows_the_key(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPATIBLE_API_KEY", KEY)
    server.script = lambda seen: server.error(status, f"no good: {KEY}")
    with pytest.raises(ProviderError, match=rf"HTTP {status}: no good: \[key\]") as caught:
        await ask(SPEC)
    assert caught.value.fatal
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [200, 400])
async def test_key_echoed_by_the_server_never_appears(
    server: Any, ask: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPATIBLE_API_KEY", KEY)
    server.script = lambda seen: answer(status=status, body={"error": {"message": f"invalid x-api-key {KEY}"}})
    with pytest.raises(ProviderError) as caught:
        await ask(SPEC)
    assert KEY[:11] not in str(caught.value)


async def test_prompt_too_long_fails_that_call_alone(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.error(400, "prompt is too long: 210000 tokens > 200000 maximum")
    with pytest.raises(ProviderError, match="prompt is too long") as caught:
        await ask(SPEC)
    assert caught.value.trouble == "too_long"


async def test_refused_connection_names_address_and_cause(ask: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ProviderError, match=f"m at http://127.0.0.1:{port}: no connection") as caught:
        await ask(f"{SPEC}@http://127.0.0.1:{port}")
    assert caught.value.http_status is None


async def test_server_that_never_answers_is_left_at_the_deadline(server: Any, ask: Any, answer: Any, hold: Any) -> None:
    stuck = hold()
    server.script = lambda seen: answer(body={}, hold=stuck)
    with pytest.raises(ProviderError, match=r"no answer within 0\.3 s|no connection"):
        await ask(SPEC, timeout=0.3)


async def test_models_are_listed_with_their_end(server: Any, ref: Any, answer: Any) -> None:
    server.lists = lambda seen: answer(body={"data": [{"id": "a"}, {"id": "b", "deprecated_at": "2027-01-01"}]})
    provider = open_provider(ref(kind="anthropic"))
    try:
        assert await provider.models() == {"a": None, "b": "2027-01-01"}
    finally:
        await provider.aclose()
    assert server.seen[0].path.startswith("/v1/models")
