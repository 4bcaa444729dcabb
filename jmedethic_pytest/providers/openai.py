"""OpenAI-compatible chat completions, through the official SDK on its aiohttp backend.

The SDK's low-level ``post`` is used instead of ``chat.completions.create``: same retries, same errors, but the answer
is not turned into SDK models, which costs more CPU than everything else in a call.
"""

from __future__ import annotations

from typing import Any

import openai

from jmedethic_pytest.errors import ProviderError
from jmedethic_pytest.providers import http
from jmedethic_pytest.providers.base import ChatRequest, ModelRef, Observer
from jmedethic_pytest.providers.reasoning import split_reasoning
from jmedethic_pytest.records import Reply, ReplyStatus, Usage

_COMPLETE = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "function_call", ""}
"""Finish reasons of a whole reply; with any other one the text may be only a part."""


class OpenAIProvider:
    """Transport to one model behind ``/chat/completions``."""

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:
        self._ref = ref
        self._client = openai.AsyncOpenAI(
            base_url=ref.base_url,
            api_key=ref.api_key or "none",
            max_retries=http.RETRIES,
            http_client=openai.DefaultAioHttpClient(event_hooks=http.hooks(observe)),
        )
        if ref.provider != "openai":  # The SDK reads them from the environment; no other server is to learn them.
            self._client.organization = self._client.project = None

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        """Send one request (see :class:`jmedethic_pytest.providers.base.Provider`)."""
        sent = self._parameters(request)
        body = {
            "model": self._ref.name,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **sent,
        }
        timeout = request.sampling.timeout
        options: Any = {"timeout": timeout, "max_retries": http.RETRIES if patient else http.RETRIES_FIRST}
        try:
            answer, seconds = await http.call(
                self._ref,
                lambda: self._client.post("/chat/completions", cast_to=object, body=body, options=options),
                timeout=timeout,
                sdk=openai,
            )
        except ProviderError as error:
            if error.blocked:
                return Reply(text="", status="target_blocked", detail=str(error), finish="content_filter", sent=sent)
            raise
        return http.read(self._ref, answer, lambda found: _reply(found, sent, seconds))

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists, each with its announced end, if it has one. Costs nothing.

        Raises:
            ProviderError: if the server cannot be asked.
        """
        options: Any = {"timeout": http.CONNECT_TIMEOUT, "max_retries": 0}
        answer, _ = await http.call(
            self._ref,
            lambda: self._client.get("/models", cast_to=object, options=options),
            timeout=http.CONNECT_TIMEOUT,
            sdk=openai,
        )
        return http.read(
            self._ref,
            answer,
            lambda found: {str(row["id"]): row.get("shutdown_date") for row in found.get("data") or []},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        sampling = request.sampling
        sent: dict[str, Any] = {self._ref.max_tokens_field: sampling.max_tokens, **sampling.extra}
        if self._ref.sampling:
            wanted = {"temperature": sampling.temperature, "top_p": sampling.top_p}
            sent.update({key: value for key, value in wanted.items() if value is not None})
        if request.schema is not None and self._ref.structured == "schema":
            sent["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "judgement", "strict": True, "schema": request.schema},
            }
        elif request.schema is not None and self._ref.structured == "object":
            sent["response_format"] = {"type": "json_object"}
        return sent


def _reply(answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
    choice = answer["choices"][0]
    message = choice.get("message") or {}
    finish = str(choice.get("finish_reason") or "")[: http.NAME_CHARACTERS]
    text, reasoning, unfinished = split_reasoning(http.content_text(message.get("content")))
    reasoning = str(message.get("reasoning_content") or message.get("reasoning") or "") or reasoning
    refusal = str(message.get("refusal") or "")
    status, detail = _status(text or refusal, finish, unfinished)
    usage = answer.get("usage") or {}
    return Reply(
        text=http.sound(text or refusal),
        status=status,
        detail=detail,
        reasoning=http.sound(reasoning),
        finish="refusal" if refusal and not text else finish,
        model=str(answer.get("model") or ""),
        usage=Usage(input=http.count(usage.get("prompt_tokens")), output=http.count(usage.get("completion_tokens"))),
        sent=sent,
        seconds=seconds,
    )


def _status(text: str, finish: str, unfinished: bool) -> tuple[ReplyStatus, str]:
    if finish == "content_filter":
        return "target_blocked", "the provider's content filter blocked the reply"
    if finish == "length":
        return "target_truncated", "the reply was cut at max_tokens"
    if finish not in _COMPLETE:
        return "target_truncated", f"the server did not finish the reply (finish reason {finish!r})"
    if unfinished:
        return "target_truncated", "the reply ends inside its <think> block"
    if not text.strip():
        return "target_empty", "the reply is empty"
    return "ok", ""
