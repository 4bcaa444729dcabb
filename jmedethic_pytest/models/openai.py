"""OpenAI-compatible chat completions and embeddings, through the official SDK on connections of our own.

The SDK's low-level ``post`` is used instead of ``chat.completions.create``, and for calls that succeed a way that is
shorter still (:mod:`jmedethic_pytest.models.direct`): same headers, same errors, a fraction of the CPU.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

import openai

from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import bodies, http, trouble
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Observer
from jmedethic_pytest.models.ending import ending
from jmedethic_pytest.models.openai_clients import client
from jmedethic_pytest.models.reasoning import split_reasoning
from jmedethic_pytest.models.transport import Transport

_EMBEDDINGS_A_CALL = 64
"""Texts of one call for vectors; servers allow hundreds, but a call that fails costs all of its texts a retry."""


class OpenAIProvider(Transport):
    """Transport to one model behind ``/chat/completions``."""

    sdk: ClassVar[Any] = openai
    route = "/chat/completions"
    listing = "/models"
    ends = "shutdown_date"

    def _opened(self) -> Any:
        return client(self._ref, self._wire)

    def _body(self, request: ChatRequest, dialect: Dialect) -> tuple[dict[str, Any], dict[str, Any]]:
        return bodies.openai(self._ref.asked_as, request, dialect)

    def _reply(self, answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
        return _read(answer, sent, seconds)


class OpenAIEmbeddings(OpenAIProvider):
    """Transport to one model behind ``/embeddings``: a request is one text, its reply a JSON list of numbers.

    Texts that are asked for at the same time share a call. If a call of several texts is refused, each is sent alone,
    so that one bad text fails alone.
    """

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:
        super().__init__(ref, observe)
        self._waiting: list[tuple[ChatRequest, asyncio.Future[Reply]]] = []
        self._task: asyncio.Task[None] | None = None

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        """Return the vector of the last message (see :class:`jmedethic_pytest.models.base.Provider`)."""
        if not patient:
            return (await self._embed([request]))[0]
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush())
        return await future

    async def aclose(self) -> None:
        """Close the connections."""
        if self._task is not None:
            self._task.cancel()
        await super().aclose()

    async def _flush(self) -> None:
        """Send what is waiting, and what comes meanwhile."""
        await asyncio.sleep(0.002)  # lets those in who are about to ask
        while self._waiting:
            batch, self._waiting = self._waiting[:_EMBEDDINGS_A_CALL], self._waiting[_EMBEDDINGS_A_CALL:]
            try:
                await self._deliver(batch)
            finally:
                for _, future in batch:
                    future.cancel()  # changes nothing where a result or an error is set

    async def _deliver(self, batch: list[tuple[ChatRequest, asyncio.Future[Reply]]]) -> None:
        try:
            replies = await self._embed([request for request, _ in batch])
        except ProviderError as error:
            if len(batch) == 1 or error.fatal or error.http_status not in (400, 413, 422):
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                return
            for one in batch:
                await self._deliver([one])
        else:
            for (_, future), reply in zip(batch, replies, strict=True):
                if not future.done():
                    future.set_result(reply)

    async def _embed(self, requests: list[ChatRequest]) -> list[Reply]:
        timeout = self._ref.dialect.timeout or max(request.sampling.timeout for request in requests)
        most = len(requests) * max(request.sampling.max_reply_bytes for request in requests)
        texts = [request.messages[-1].content for request in requests]
        body = {"model": self._ref.name, "input": texts, "encoding_format": "float"}
        answer, seconds = await http.call(
            self._ref,
            lambda: self._wire.post(self._client, "/embeddings", body, most),
            timeout=timeout,
            sdk=openai,
        )
        return http.read(self._ref, answer, _vectors, len(requests), seconds)


def _vectors(answer: dict[str, Any], count: int, seconds: float) -> list[Reply]:
    """Return one reply per text, in the order of the texts; tokens are counted once, with the first."""
    rows = sorted(answer["data"], key=lambda row: row["index"])
    if [row["index"] for row in rows] != list(range(count)):
        raise ValueError("there is not one vector per text")
    used = http.count((answer.get("usage") or {}).get("prompt_tokens"))
    replies = []
    for index, row in enumerate(rows):
        text = json.dumps([float(value) for value in row["embedding"]], allow_nan=False)
        usage = Usage(input=used if index == 0 or used is None else 0, output=0)
        replies.append(
            Reply(text=text, finish="stop", model=str(answer.get("model") or ""), usage=usage, seconds=seconds)
        )
    return replies


def _read(answer: dict[str, Any], sent: dict[str, Any], seconds: float) -> Reply:
    choice = answer["choices"][0]
    message = choice.get("message") or {}
    finish = http.finish(choice.get("finish_reason"))
    text, inline, unfinished = split_reasoning(http.content_text(message.get("content")))
    reasoning = str(message.get("reasoning_content") or message.get("reasoning") or "") or inline
    refusal = str(message.get("refusal") or "")
    counted = answer.get("usage") or {}
    details = counted.get("prompt_tokens_details")
    usage = Usage(
        input=http.count(counted.get("prompt_tokens")),
        output=http.count(counted.get("completion_tokens")),
        cached=http.count(details.get("cached_tokens")) if isinstance(details, dict) else None,
    )
    allowed = next((sent[name] for name in ("max_completion_tokens", "max_tokens") if name in sent), None)
    status, detail = ending(
        finish,
        text or refusal,
        unfinished=unfinished,
        used=usage.output,
        allowed=allowed,
        reasoned=bool(reasoning),
    )
    if status == "empty" and "message" not in choice:
        raise KeyError("message")  # an answer of another route, or a piece of a stream
    if status == "blocked" and (categories := trouble.filtered(choice)):
        detail += f": {categories}"
    return Reply(
        text=text or refusal,
        status=status,
        detail=detail,
        reasoning=reasoning,
        finish="refusal" if refusal and not text else finish,
        model=http.served(answer),
        fingerprint=http.word(answer.get("system_fingerprint")),
        usage=usage,
        sent=sent,
        seconds=seconds,
    )
