"""One model in one role: asked, and its answers read, so that every end of a call is a reply or a drop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.core.secrets import Secrets
from jmedethic_pytest.generation.machinery import meter
from jmedethic_pytest.generation.machinery.records import Drop
from jmedethic_pytest.generation.machinery.structured import M, Malformed, parse, schema
from jmedethic_pytest.judging import refusal
from jmedethic_pytest.models import ChatRequest, Message
from jmedethic_pytest.models.client import Client


class Role:
    """One model in one role.

    Args:
        name: the role, as in the file.
        client: its client.
        sampling: how it is called.
        secrets: what no reply may carry into a file, should a server echo it.
    """

    def __init__(self, name: str, client: Client, sampling: Sampling, secrets: Secrets) -> None:
        self.name = name
        self.client = client
        self._sampling = sampling
        self._secrets = secrets

    @property
    def label(self) -> str:
        """The model, ``provider:name``; with its address where the role has that name twice."""
        return f"{self.client.ref.label}{self.client.suffix}"

    async def ask(
        self,
        messages: tuple[Message, ...],
        *,
        schema: Mapping[str, Any] | None = None,
        repeat: int = 0,
        context: Mapping[str, Any] = {},
    ) -> Reply:
        """Return the reply to one request; a call that failed is a reply of status ``error``.

        Args:
            messages: the chat.
            schema: JSON schema of the answer, where the server can enforce it.
            repeat: index of an independent repetition; part of the cache key, never sent.
            context: the task, for scripted models (see ``generation.demo``).

        Raises:
            RunAborted: if no call to this endpoint can succeed, or the budget is spent.
        """
        try:
            reply = await self.client.chat(ChatRequest(messages, self._sampling, schema, repeat, context))
        except ProviderError as error:
            return Reply(text="", status="error", detail=str(error))
        meter.book(f"{self.name} {self.label}", reply)
        return self._secrets.hide_in_record(reply)

    async def ask_for(
        self,
        messages: tuple[Message, ...],
        model: type[M],
        *,
        again: str,
        attempts: int = 2,
        repeat: int = 0,
        context: Mapping[str, Any] = {},
    ) -> M | Drop:
        """Return a structured answer, or the drop that says why there is none.

        Args:
            messages: the chat.
            model: what the answer must be.
            again: what the model is told if its answer cannot be read; ``{problem}`` is filled in.
            attempts: requests until the answer can be read.
            repeat: see :meth:`ask`.
            context: see :meth:`ask`.
        """
        problem = Drop(reason="malformed", source=self.label)
        for _ in range(attempts):
            reply = await self.ask(messages, schema=schema(model), repeat=repeat, context=context)
            failed = self.failure(reply)
            if failed is not None:
                return failed
            try:
                return parse(reply.text, model)
            except Malformed as error:
                if refusal.refuses(reply.text):
                    return Drop(reason="refused", source=self.label)
                problem = Drop(reason="malformed", detail=str(error), source=self.label)
                told = Message("user", again.format(problem=error))
                messages = (*messages, Message("assistant", reply.text or "-"), told)
        return problem

    def failure(self, reply: Reply) -> Drop | None:
        """Return the drop of a reply that cannot be read at all."""
        if reply.status == "error":
            return Drop(reason="transport", detail=kind(reply.detail), again=True, source=self.label)
        if reply.status == "blocked" or reply.finish == "refusal":
            return Drop(
                reason="refused", detail="by the provider" if reply.finish != "refusal" else "", source=self.label
            )
        if reply.status != "ok":
            return Drop(reason=reply.status, source=self.label)
        return None


def kind(detail: str) -> str:
    """Return the kind of a failed call, without addresses, times or words of the server: it goes into a digest."""
    for mark in ("HTTP ", "no connection", "no answer within", "not in the cache"):
        if mark in detail:
            return detail[detail.index(mark) :].split(":")[0][:20].strip() if mark == "HTTP " else mark
    return "failed"
