"""A dialect is learned from a server's own plain words, once; everything else it says stays an error."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models import ChatRequest, Message
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.learning import Learner

REQUEST = ChatRequest((Message("system", "s"), Message("user", "u")), Sampling(top_p=0.9), {"type": "object"})


def _hear(learner: Learner, said: str, status: int | None = 400) -> bool:
    """Let a server refuse a request in these words; return whether it would be sent otherwise now."""
    error = ProviderError(f"HTTP {status}: {said}", http_status=status, said=said)
    learner.hear(error, REQUEST, learner.dialect)
    return error.learned


@pytest.mark.parametrize(
    ("said", "change"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with it. Use 'max_completion_tokens' instead.",
            {"max_tokens_field": "max_completion_tokens"},
        ),
        ("Unrecognized request argument supplied: max_tokens", {"max_tokens_field": "max_completion_tokens"}),
        (
            "[{'type': 'extra_forbidden', 'loc': ('body', 'max_tokens'), 'msg': 'Extra inputs are not permitted'}]",
            {"max_tokens_field": "max_completion_tokens"},
        ),
        ("Unsupported parameter: 'temperature' is not supported with this model.", {"sampling": ("top_p",)}),
        ("Unsupported value: 'temperature' does not support 0.0. Only the default (1) is.", {"sampling": ("top_p",)}),
        ("`temperature` is deprecated for this model.", {"sampling": ("top_p",)}),
        ("`temperature` and `top_p` cannot both be specified for this model.", {"sampling": ("temperature",)}),
        ("UnsupportedParamsError: does not support parameters: ['temperature', 'top_p']", {"sampling": ("top_p",)}),
        ("System role not supported", {"system_role": "user"}),
        ("Conversation roles must alternate user/assistant/user/assistant/...", {"system_role": "user"}),
        ("Developer instruction is not enabled for models/gemma-3-27b-it", {"system_role": "user"}),
        ("Unsupported value: 'messages[0].role' does not support 'system'.", {"system_role": "user"}),
        ("Invalid parameter: 'response_format' of type 'json_schema' is not supported.", {"structured": "object"}),
        ("This response_format type is unavailable now", {"structured": "object"}),
        ("output_config: Extra inputs are not permitted", {"structured": "prompt"}),
    ],
)
def test_plain_words_change_the_one_thing_they_name(said: str, change: dict[str, Any]) -> None:
    dialect = Dialect(structured="schema")
    learner = Learner(dialect, "openai")
    assert _hear(learner, said)
    assert learner.dialect == dialect.model_copy(update=change)
    assert len(learner.learned) == 1


@pytest.mark.parametrize(
    "said",
    [
        "temperature must be between 0 and 1",
        "max_tokens is too large: 4096. This model supports at most 2048 completion tokens.",
        "This model's maximum context length is 4096 tokens. Please reduce the messages or max_tokens.",
        "Unsupported parameter: 'seed' is not supported. Use temperature.",
        "messages[1].content: unsupported image",
        "the system is not allowed to answer",
        "",
    ],
)
def test_other_words_change_nothing(said: str) -> None:
    assert not _hear(Learner(Dialect(structured="schema"), "openai"), said)


def test_name_of_the_limit_is_changed_once_and_not_back() -> None:
    learner = Learner(Dialect(), "openai")
    assert _hear(learner, "Unrecognized request argument supplied: max_tokens")
    assert not _hear(learner, "Unrecognized request argument supplied: max_completion_tokens")
    assert learner.dialect.max_tokens_field == "max_completion_tokens"


@pytest.mark.parametrize("status", [500, 401, None])
def test_only_a_refused_request_teaches(status: int | None) -> None:
    learner = Learner(Dialect(), "openai")
    assert not _hear(learner, "Unsupported parameter: 'temperature'", status)
    assert not learner.learned


@pytest.mark.asyncio
async def test_calls_in_flight_together_learn_once_and_all_of_them_are_answered(server: Any, ref: Any) -> None:
    """A reasoning model under a name of the user's own, whose chat template knows no system role either."""
    words = {
        "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "temperature": "Unsupported parameter: 'temperature' is not supported with this model.",
    }

    def script(seen: Any) -> Any:
        for name, said in words.items():
            if name in seen.body:
                return server.error(400, said, param=name, code="unsupported_parameter")
        if "system" in json.dumps(seen.messages):
            return server.error(400, "System role not supported")
        return "ok"

    server.script = script
    client = Client("target", ref(), None)
    messages = (Message("system", "rubric"), Message("user", "hello"))
    try:
        replies = await asyncio.gather(
            *(client.chat(ChatRequest(messages, Sampling(timeout=20.0), repeat=number)) for number in range(6))
        )
        before = len(server.seen)
        await client.chat(ChatRequest(messages, Sampling(timeout=20.0), repeat=6))
    finally:
        await client.aclose()
    assert client.tally.calls == len(server.seen)  # what was refused was sent, and is counted
    assert [reply.text for reply in replies] == ["ok"] * 6
    assert [reply.sent for reply in replies] == [{"max_completion_tokens": 2048}] * 6
    assert len(server.seen) == before + 1  # what was learned is kept
    assert server.seen[-1].messages == [{"role": "user", "content": "rubric\n\nhello"}]
    assert client.learned == (
        "max_completion_tokens is sent in the place of max_tokens, which is refused",
        "temperature is not sent: the server refuses it",
        "the system prompt is sent before the first message: the server takes no message of the role 'system'",
    )
