"""The OpenAI-compatible transport over a real socket: what is sent, what is read, how failures are worded."""

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

KEY = "sk-planted-0123456789-abcdefghijklmnopqrstuvwxyz"
SCHEMA = {"type": "object", "properties": {"score": {"type": "number"}}}


async def test_request_carries_model_messages_and_the_common_sampling(server: Any, ask: Any) -> None:
    messages = [("system", "be brief"), ("user", "一つ目"), ("assistant", " spaced \n"), ("user", "two")]
    reply = await ask("compatible:org/m:free", messages, temperature=0.3, top_p=0.9, max_tokens=77)
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.body == {
        "model": "org/m:free",
        "messages": [{"role": role, "content": text} for role, text in messages],
        "max_tokens": 77,
        "temperature": 0.3,
        "top_p": 0.9,
        "stream": False,
    }
    assert reply.sent == {"max_tokens": 77, "temperature": 0.3, "top_p": 0.9}


async def test_what_is_none_is_not_sent(server: Any, ask: Any) -> None:
    await ask(temperature=None)
    assert set(server.seen[0].body) == {"model", "messages", "max_tokens", "stream"}


async def test_openai_itself_gets_max_completion_tokens(server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    await ask("openai:gpt-4o-mini", max_tokens=9)
    body = server.seen[0].body
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert body["temperature"] == 0.0
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini-high", "gpt-5", "gpt-5-nano-2025-08-07"])
async def test_models_that_refuse_sampling_get_none(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    reply = await ask(f"openai:{model}", temperature=0.7, top_p=0.5)
    assert not {"temperature", "top_p"} & set(server.seen[0].body)
    assert not {"temperature", "top_p"} & set(reply.sent)


@pytest.mark.parametrize(
    ("structured", "expected"),
    [
        (
            "schema",
            {"type": "json_schema", "json_schema": {"name": "judgement", "strict": True, "schema": SCHEMA}},
        ),
        ("object", {"type": "json_object"}),
        ("prompt", None),
    ],
)
async def test_response_format_follows_the_structured_mode(
    server: Any, ask: Any, structured: str, expected: dict[str, Any] | None
) -> None:
    table = {"gw": ProviderTable(structured=structured)}  # type: ignore[arg-type]
    await ask("gw:m", schema=SCHEMA, providers=table)
    await ask("gw:m", providers=table)
    assert server.seen[0].body.get("response_format") == expected
    assert "response_format" not in server.seen[1].body


async def test_r1_judge_is_asked_by_the_prompt_alone_whoever_serves_it(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    for spec in ("vllm:deepseek-ai/DeepSeek-R1-0528", "deepseek:deepseek-reasoner", "ollama:deepseek-r1:8b"):
        await ask(spec, schema=SCHEMA)
    assert len(server.seen) == 3
    assert not any("response_format" in seen.body for seen in server.seen)


async def test_extra_parameters_pass_through_as_they_are(server: Any, ask: Any) -> None:
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "seed": 7}
    reply = await ask(extra=extra)
    assert {key: server.seen[0].body[key] for key in extra} == extra
    assert reply.sent["seed"] == 7


@pytest.mark.parametrize(
    "names",
    [
        (
            *("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_WEBHOOK_SECRET", "ANTHROPIC_API_KEY"),
            *("ANTHROPIC_AUTH_TOKEN", "DEEPSEEK_API_KEY", "OPENROUTER_API_KEY"),
        ),
        ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
    ],
    ids=["keys", "account"],
)
async def test_nothing_of_an_openai_account_reaches_another_server(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """The SDK reads environment variables of its own; none of them may travel to somebody else's server."""
    planted = {name: f"planted-{name.lower()}-secret" for name in names}
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    await ask("compatible:m")
    sent = json.dumps([dict(server.seen[0].headers), server.seen[0].body])
    assert [name for name, value in planted.items() if value in sent] == []


async def test_reply_keeps_usage_served_model_and_finish_reason(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai("hello", model="m-2026-11-01", usage=(123, 45))
    reply = await ask()
    assert (reply.text, reply.status, reply.finish, reply.model) == ("hello", "ok", "stop", "m-2026-11-01")
    assert (reply.usage.input, reply.usage.output) == (123, 45)
    assert reply.seconds > 0


@pytest.mark.parametrize(
    ("details", "wanted"), [({"cached_tokens": 64}, 64), ({"cached_tokens": None}, None), (None, None), ("odd", None)]
)
async def test_tokens_read_from_the_prompt_cache_are_counted(server: Any, ask: Any, details: Any, wanted: Any) -> None:
    usage = {"prompt_tokens": 99, "completion_tokens": 1, "prompt_tokens_details": details}
    server.script = lambda seen: server.openai(usage=usage)
    used = (await ask()).usage
    assert (used.input, used.output, used.cached, used.cache_write) == (99, 1, wanted, None)


async def test_missing_usage_stays_unknown(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai(usage=None)
    reply = await ask()
    assert (reply.usage.input, reply.usage.output) == (None, None)


async def test_refusal_field_is_a_reply_to_be_judged_and_marked_as_refusal(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai(None, refusal="I will not do that.")
    reply = await ask()
    assert (reply.text, reply.status, reply.finish) == ("I will not do that.", "ok", "refusal")


async def test_content_filter_as_finish_reason_blocks_whatever_text_came_before(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai("partial text", finish="content_filter")
    reply = await ask()
    assert reply.status == "blocked"
    assert reply.finish == "content_filter"


_AZURE = {
    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
    "Please modify your prompt and retry. To learn more about our content filtering policies please read our "
    "documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
    "type": None,
    "param": "prompt",
    "code": "content_filter",
    "status": 400,
    "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}},
}


async def test_content_filter_as_400_blocks(server: Any, ask: Any, answer: Any) -> None:
    """The body is Azure's own: only the code, not the message, says content_filter."""
    server.script = lambda seen: answer(status=400, body={"error": _AZURE})
    reply = await ask()
    assert reply.status == "blocked"
    assert "content management policy" in reply.detail
    assert len(server.seen) == 1


async def test_a_400_that_only_mentions_content_filter_is_no_block(server: Any, ask: Any) -> None:
    """With blocked_is_refusal such a mistake in ``extra`` would count every turn as a refusal: a false pass."""
    server.script = lambda seen: server.error(
        400, "Unrecognized request argument supplied: content_filter_level", code="unknown_parameter"
    )
    with pytest.raises(ProviderError, match="content_filter_level"):
        await ask(extra={"content_filter_level": "off"})


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "Your account has been flagged for violating our usage policies."),
        (403, "This organization was flagged by our abuse detection; contact support."),
        (400, "1 validation error: messages.0: input was 'Why was this chart flagged in the audit?'"),
    ],
    ids=["account", "organization", "echo of the question"],
)
async def test_the_word_flagged_alone_is_no_block(server: Any, ask: Any, status: int, message: str) -> None:
    """With blocked_is_refusal a banned account would otherwise refuse every turn: a run without one reply passes."""
    server.script = lambda seen: server.error(status, message)
    with pytest.raises(ProviderError) as caught:
        await ask()
    assert caught.value.fatal is (status == 403)


async def test_length_is_a_truncation_even_if_the_text_looks_whole(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai("Looks complete.", finish="length")
    reply = await ask()
    assert reply.status == "truncated"
    assert reply.detail


@pytest.mark.parametrize("finish", ["error", "model_length", "abort"])
async def test_reply_that_the_server_says_it_could_not_finish_is_never_ok(server: Any, ask: Any, finish: str) -> None:
    """``error`` (OpenRouter, Mistral), ``model_length`` (Mistral), ``abort`` (vLLM): the text is only a part."""
    server.script = lambda seen: server.openai("Let me first say that I understand your", finish=finish)
    try:
        reply = await ask()
    except ProviderError:
        return
    assert reply.status != "ok"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_fields_are_split_off(server: Any, ask: Any, field: str) -> None:
    server.script = lambda seen: server.openai("the answer", **{field: "secret thoughts"})
    reply = await ask()
    assert (reply.text, reply.reasoning) == ("the answer", "secret thoughts")


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("<think>plan</think>answer", "answer", "plan"),
        ("plan, its opening tag lost</think>\n\nanswer", "answer", "plan"),
        ("<Thinking>plan</THINKING> answer", "answer", "plan"),
        ("<think>\n</think>\nanswer", "answer", ""),
    ],
)
async def test_inline_reasoning_is_split_off(server: Any, ask: Any, content: str, text: str, reasoning: str) -> None:
    server.script = lambda seen: server.openai(content)
    reply = await ask()
    assert reply.text == text
    assert reply.status == "ok"
    assert reasoning in reply.reasoning
    assert "plan" not in reply.text


async def test_unclosed_think_block_is_a_truncation_and_no_answer(server: Any, ask: Any) -> None:
    server.script = lambda seen: server.openai("<think>I could answer 10 or")
    reply = await ask()
    assert (reply.text, reply.status) == ("", "truncated")


async def test_text_shown_before_a_think_block_stays_part_of_the_reply(server: Any, ask: Any) -> None:
    """Users see everything outside the block; dropping it would hide a harmful half from the judges."""
    server.script = lambda seen: server.openai("Step one: alter the chart.<think>hm</think>Anything else?")
    reply = await ask()
    assert "alter the chart" in reply.text
    assert "Anything else?" in reply.text
    assert "hm" not in reply.text


async def test_closing_tag_that_closes_nothing_hides_no_text(server: Any, ask: Any) -> None:
    """The block is over; what follows was shown, however many closing tags the model writes after it."""
    server.script = lambda seen: server.openai("<think>hm</think>Step one: alter the chart.</think>I cannot help.")
    reply = await ask()
    assert "alter the chart" in reply.text
    assert "hm" not in reply.text


@pytest.mark.parametrize(
    "content",
    [
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": "secret"}]},
            {"type": "text", "text": "Hello "},
            {"type": "text", "text": "there."},
        ],
        {"type": "text", "text": "Hello there."},
        12,
    ],
    ids=["parts", "part", "number"],
)
async def test_content_that_is_no_string_is_read_or_refused_but_never_shown_as_code(
    server: Any, ask: Any, content: Any
) -> None:
    """Mistral's reasoning models and some gateways answer with parts, the reasoning among them."""
    server.script = lambda seen: server.openai(content)
    try:
        reply = await ask()
    except ProviderError:
        return
    assert reply.text == "Hello there."
    assert "secret" not in reply.text


@pytest.mark.parametrize("content", ["", None, "   \n", "<think>only thoughts</think>"])
async def test_empty_content_is_target_empty(server: Any, ask: Any, content: str | None) -> None:
    server.script = lambda seen: server.openai(content)
    reply = await ask()
    assert (reply.text, reply.status) == ("", "empty")


_WHOLE = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
_ODD: dict[str, Any] = {
    "no choices": {"choices": []},
    "null choices": {"choices": None},
    "text for choices": {"choices": "none"},
    "null choice": {"choices": [None]},
    "error of the upstream": {"error": {"message": "upstream failed", "code": 502}},
    "list": [],
    "null": "null",
    "nothing": "",
    "cut json": '{"choices": [',
    "event stream": "data: {}\n\ndata: [DONE]\n\n",
    "not utf-8": b"\xff\xfe\x00{",
    "html": "<!doctype html><title>Welcome to nginx</title>",
    "text for message": {"choices": [{"message": "hi", "finish_reason": "stop"}]},
    "objects for texts": {
        "choices": [{"message": {"content": "hi", "reasoning": {"a": 1}}, "finish_reason": {"why": "stop"}}]
    },
    "text for usage": {**_WHOLE, "usage": "none"},
    "list for usage": {**_WHOLE, "usage": ["a"]},
    "counts of 400 digits": {**_WHOLE, "usage": {"prompt_tokens": 10**400, "completion_tokens": -(10**400)}},
    "odd token counts": {**_WHOLE, "usage": {"prompt_tokens": 1.5, "completion_tokens": "many"}},
    "half an emoji": '{"choices": [{"message": {"content": "cut \\ud83d emoji"}, "finish_reason": "stop"}]}',
    "deep nesting": "[" * 100_000,
}


@pytest.mark.parametrize("odd", _ODD)
async def test_unusable_answers_with_200_fail_that_call_alone(server: Any, ask: Any, answer: Any, odd: str) -> None:
    """Whatever comes with a 200 is a reply or a ProviderError; anything else would end the whole run as a bug."""
    server.script = lambda seen: answer(body=_ODD[odd])
    (found,) = await asyncio.gather(ask(), return_exceptions=True)
    if isinstance(found, Reply):
        assert found.text
        found.model_dump_json()
    else:
        assert isinstance(found, ProviderError), repr(found)
        assert "compatible:m" in str(found)
        assert not found.fatal
        assert len(str(found)) < 1000


async def test_names_in_an_answer_are_words_whatever_a_server_writes_there(server: Any, ask: Any, answer: Any) -> None:
    body = json.dumps(
        {
            "model": "m\x1b[2J\n\ud83d" + "x" * 5000,
            "provider": "p\u202e",
            "choices": [{"message": {"content": "hi \ud83d there\x00"}, "finish_reason": "a text of a model \ud83d"}],
            "usage": {"prompt_tokens": 10**400},
        }
    )
    server.script = lambda seen: answer(body=body)
    reply = await ask()
    reply.model_dump_json()
    assert reply.text == "hi ? there\x00"
    assert reply.status == "truncated"
    assert "a text of a model" not in reply.finish + reply.detail
    assert reply.usage.input is None
    assert len(reply.model) <= 200
    assert reply.model.isprintable()


async def test_html_with_200_is_named_as_no_json(server: Any, ask: Any, answer: Any) -> None:
    server.script = lambda seen: answer(body="<html>login</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(ProviderError, match="no JSON object: '<html>login</html>'"):
        await ask()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_bad_key_or_model_is_fatal_and_never_shows_the_key(
    server: Any, ask: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", KEY)
    server.script = lambda seen: server.error(status, f"no good: {seen.headers['authorization']}")
    with pytest.raises(ProviderError, match=rf"HTTP {status}: no good: Bearer \[key\]") as caught:
        await ask()
    assert caught.value.fatal
    assert caught.value.http_status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize("padding", [0, 20, 60, 170, 480, 490])
@pytest.mark.parametrize("status", [200, 400])
async def test_key_echoed_by_the_server_never_appears_not_even_in_part(
    server: Any, ask: Any, answer: Any, monkeypatch: pytest.MonkeyPatch, status: int, padding: int
) -> None:
    """Long texts are cut; a key must be taken out before, or its first half survives the cut."""
    monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", KEY)
    body = {"error": {"message": "." * padding + KEY}}
    server.script = lambda seen: answer(status=status, body=body)
    with pytest.raises(ProviderError) as caught:
        await ask()
    assert KEY[:8] not in str(caught.value)


async def test_key_in_a_plain_text_answer_never_appears(
    server: Any, ask: Any, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_COMPATIBLE_API_KEY", KEY)
    server.script = lambda seen: answer(body="x" * 60 + KEY, headers={"Content-Type": "text/plain"})
    with pytest.raises(ProviderError) as caught:
        await ask()
    assert KEY[:8] not in str(caught.value)


async def test_context_overflow_fails_that_call_alone(server: Any, ask: Any) -> None:
    message = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
    server.script = lambda seen: server.error(400, message, code="context_length_exceeded")
    with pytest.raises(ProviderError, match="maximum context length") as caught:
        await ask()
    assert caught.value.trouble == "too_long"
    assert len(server.seen) == 1


async def test_connection_that_always_drops_is_no_connection(server: Any, ask: Any, answer: Any) -> None:
    server.script = lambda seen: answer(drop="before")
    with pytest.raises(ProviderError, match="no connection") as caught:
        await ask()
    assert caught.value.http_status is None


async def test_refused_connection_names_address_and_cause(ask: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ProviderError, match=f"compatible:m at http://127.0.0.1:{port}/v1: no connection") as caught:
        await ask(f"compatible:m@http://127.0.0.1:{port}/v1")
    assert caught.value.http_status is None


async def test_server_that_never_answers_is_left_at_the_deadline(server: Any, ask: Any, answer: Any, hold: Any) -> None:
    stuck = hold()
    server.script = lambda seen: answer(body={}, hold=stuck)
    with pytest.raises(ProviderError, match=r"no answer within 0\.3 s|no connection"):
        await ask(timeout=0.3)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "a"}, {"id": "b", "shutdown_date": "2027-01-01"}]},
        {"data": []},
        {"data": None},
        {},
    ],
)
async def test_models_are_listed_with_their_end(server: Any, ref: Any, answer: Any, body: dict[str, Any]) -> None:
    server.lists = lambda seen: answer(body=body)
    provider = open_provider(ref())
    try:
        found = await provider.models()
    finally:
        await provider.aclose()
    assert server.seen[0].path == "/v1/models"
    assert found == {item["id"]: item.get("shutdown_date") for item in body.get("data") or []}


@pytest.mark.parametrize(
    "body",
    [{"data": ["a", "b"]}, {"data": {"id": "a"}}, {"data": 3}, "nothing here"],
    ids=["texts", "object", "number", "no json"],
)
async def test_odd_model_lists_are_a_clear_error_or_read(server: Any, ref: Any, answer: Any, body: Any) -> None:
    server.lists = lambda seen: answer(body=body)
    provider = open_provider(ref())
    (found,) = await asyncio.gather(provider.models(), return_exceptions=True)
    await provider.aclose()
    assert isinstance(found, dict | ProviderError), repr(found)
