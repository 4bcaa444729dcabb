"""Anthropic messages, through the official SDK; its low-level ``post`` and the short way, as for OpenAI."""

from __future__ import annotations

from typing import Any, ClassVar

import anthropic

from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import bodies, http
from jmedethic_pytest.models.anthropic_clients import client
from jmedethic_pytest.models.base import ChatRequest
from jmedethic_pytest.models.ending import ending
from jmedethic_pytest.models.reasoning import split_reasoning
from jmedethic_pytest.models.transport import Transport


class AnthropicProvider(Transport):
    """Transport to one model behind ``/v1/messages``."""

    sdk: ClassVar[Any] = anthropic
    route = "/v1/messages"
    listing = "/v1/models?limit=1000"
    ends = "deprecated_at"

    def _opened(self) -> Any:
        return client(self._ref, self._wire)

    def _body(self, request: ChatRequest, dialect: Dialect) -> tuple[dict[str, Any], dict[str, Any]]:
        return bodies.anthropic(self._ref.name, request, dialect)

    def _reply(self, answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
        return _read(answer, sent, seconds)


def _input_tokens(usage: dict[str, Any]) -> int | None:
    """Return all tokens of the prompt; Anthropic counts those from its cache apart."""
    if http.count(usage.get("input_tokens")) is None:
        return None
    parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(http.count(usage.get(part)) or 0 for part in parts)


def _read(answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
    blocks = answer["content"]
    raw = "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")
    thinking = "".join(str(block.get("thinking", "")) for block in blocks if block.get("type") == "thinking")
    text, inline, unfinished = split_reasoning(raw)
    finish = http.finish(answer.get("stop_reason"))
    counted = answer.get("usage") or {}
    usage = Usage(
        input=_input_tokens(counted),
        output=http.count(counted.get("output_tokens")),
        cached=http.count(counted.get("cache_read_input_tokens")),
        cache_write=http.count(counted.get("cache_creation_input_tokens")),
    )
    reasoning = thinking or inline
    status, detail = ending(
        finish,
        text,
        unfinished=unfinished,
        used=usage.output,
        allowed=sent.get("max_tokens"),
        reasoned=bool(reasoning),
    )
    return Reply(
        text=text,
        status=status,
        detail=detail,
        reasoning=reasoning,
        finish=finish,
        model=http.served(answer),
        usage=usage,
        sent=sent,
        seconds=seconds,
    )
