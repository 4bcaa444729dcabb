"""Anthropic messages, through the official SDK; its low-level ``post`` and the short way, as for OpenAI."""

from __future__ import annotations

from typing import Any

import anthropic

from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import bodies, clouds, direct, http
from jmedethic_pytest.models.anthropic_clients import client
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Observer
from jmedethic_pytest.models.direct import Wire
from jmedethic_pytest.models.ending import ending
from jmedethic_pytest.models.learning import Learner
from jmedethic_pytest.models.reasoning import split_reasoning


class AnthropicProvider:
    """Transport to one model behind ``/v1/messages``."""

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:
        self._ref = ref
        self._wire = Wire(ref, observe)
        self._client = client(ref, self._wire)
        self._learner = Learner(ref.dialect, ref.kind)

    @property
    def learned(self) -> tuple[str, ...]:
        """What is sent otherwise than it was asked for, since the server refuses it."""
        return tuple(self._learner.learned)

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:  # noqa: ARG002 - one attempt
        """Send one request (see :class:`jmedethic_pytest.models.base.Provider`)."""
        with clouds.credentials(self._ref):
            return await self._learner.ask(request, lambda dialect: self._chat(request, dialect))

    async def _chat(self, request: ChatRequest, dialect: Dialect) -> Reply:
        body, sent = bodies.anthropic(self._ref.name, request, dialect)
        return await http.reply(
            self._ref,
            lambda: self._wire.post(self._client, "/v1/messages", body, request.sampling.max_reply_bytes),
            lambda found, seconds: _reply(found, sent, seconds),
            sent=sent,
            timeout=dialect.timeout or request.sampling.timeout,
            sdk=anthropic,
        )

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists, each with the date of its deprecation, if there is one. Costs nothing.

        Raises:
            ProviderError: if the server cannot be asked.
        """
        answer, _ = await http.call(
            self._ref,
            lambda: direct.get(self._client, "/v1/models?limit=1000"),
            timeout=http.CONNECT_TIMEOUT,
            sdk=anthropic,
        )
        return http.read(
            self._ref,
            answer,
            lambda found: {str(row["id"]): row.get("deprecated_at") for row in found.get("data") or []},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def _input_tokens(usage: dict[str, Any]) -> int | None:
    """Return all tokens of the prompt; Anthropic counts those from its cache apart."""
    if http.count(usage.get("input_tokens")) is None:
        return None
    parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(http.count(usage.get(part)) or 0 for part in parts)


def _reply(answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
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
