"""One model, called through cache, single-flight and accounting; tried again as its endpoint allows."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jmedethic_pytest.core import secrets
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models import prices, traced
from jmedethic_pytest.models.base import CacheMode, ChatRequest, ModelRef, Provider, Role
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.endpoint import Attempts, Endpoint
from jmedethic_pytest.models.limits import START, AdaptiveLimit, Quota
from jmedethic_pytest.models.registry import open_provider

_ERROR_CHARACTERS = 1_000


class Tally:
    """What calls to one model have cost so far."""

    def __init__(self) -> None:
        self.calls = 0
        """Requests that went to the server, each attempt of a call for itself."""
        self.cached = 0
        self.failed = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.prompt_cached = 0
        """Of the input tokens: read from the provider's prompt cache ..."""
        self.prompt_written = 0
        """... and written there."""
        self.in_flight = 0
        self.seconds = 0.0
        """Time of all of them together."""
        self.uncounted = 0
        """Replies that came without token counts."""
        self.batched: Tally | None = None
        """What came in batches, at their price: its ``calls`` are answers, and none of them is among the others."""

    @property
    def usage(self) -> Usage:
        """All tokens together."""
        return Usage(
            input=self.input_tokens,
            output=self.output_tokens,
            cached=self.prompt_cached,
            cache_write=self.prompt_written,
        )

    def count(self, usage: Usage) -> None:
        """Add the tokens of a reply."""
        self.input_tokens += usage.input or 0
        self.output_tokens += usage.output or 0
        self.prompt_cached += usage.cached or 0
        self.prompt_written += usage.cache_write or 0
        self.uncounted += usage.input is None or usage.output is None


class Client:
    """Calls one model in one role.

    Args:
        role: what it is asked for; the same question in another role is another call.
        ref: the model.
        cache: shared response cache, ``None`` for mode ``off``.
        mode: ``use`` reads and writes, ``refresh`` only writes, ``only`` never calls, ``off`` ignores the cache.
        ceiling: the most calls in flight.
        quota: requests and tokens a minute, if the user stated them.
        budget: shared by all clients of a run.
    """

    def __init__(
        self,
        role: Role,
        ref: ModelRef,
        cache: Cache | None,
        mode: CacheMode = "use",
        *,
        ceiling: int = 32,
        quota: Quota | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.role = role
        self.ref = ref
        self.suffix = ""
        """Added to the model's name in records where it alone would not be unique."""
        self.tally = Tally()
        self.given: set[str] = set()
        """Cache keys of what a target was asked, should its replies turn out to be none."""
        self._secrets = ref.secrets
        self._cache = cache
        self._mode = mode
        self.limit = AdaptiveLimit(ceiling, start=ceiling if ref.simulated else START)
        self.endpoint = Endpoint(role)
        self._quota = quota
        self._budget = budget
        self._provider: Provider | None = None
        self._pending: dict[str, asyncio.Task[Reply]] = {}

    @property
    def ref(self) -> ModelRef:
        """The model; under another revision its replies are others, and so are the keys of its calls in a cache."""
        return self._ref

    @ref.setter
    def ref(self, ref: ModelRef) -> None:
        """Take it for another."""
        self._ref = ref
        self.keys = caching.Keys(self.role, ref)

    @property
    def learned(self) -> tuple[str, ...]:
        """What the server refused in plain words and is therefore sent otherwise than it was asked for."""
        return tuple(getattr(self._provider, "learned", ()))

    async def chat(self, request: ChatRequest) -> Reply:
        """Return the reply to a request; equal requests at the same time share one call.

        Raises:
            ProviderError: if this call failed for good; other calls may succeed.
            RunAborted: if no call to this endpoint can succeed.
        """
        key = self.keys.of(request)
        if self.role == "target" and self._cache is not None and not self.ref.simulated:
            self.given.add(key)
        if self._cache is not None and self._mode in ("use", "only"):
            known = self._cache.get(key)
            if known is not None:
                self.tally.cached += 1
                return known
        if self._mode == "only":
            raise ProviderError(
                f"{self.ref.label}: the reply is not in the cache, and --jmed-cache=only forbids new calls"
            )
        task = self._pending.get(key)
        if task is None:
            task = asyncio.create_task(self._call(key, request))
            self._pending[key] = task
            task.add_done_callback(lambda done: self._settle(key, done))
        return await asyncio.shield(task)

    def forget(self, requests: Iterable[ChatRequest]) -> None:
        """Take the replies to these out of the cache: they were none, and the next run is to ask again."""
        if self._cache is not None and self._mode != "only":
            self._cache.forget(map(self.keys.of, requests))

    @property
    def provider(self) -> Provider:
        """The way to the server, opened with the first use, inside the event loop."""
        if self._provider is None:
            self._provider = open_provider(self.ref, self.limit.observe)
        return self._provider

    def reserve(self, characters: int, calls: int) -> float:
        """Keep money back for requests that will be handed over at once, at the price of a batch; return how much.

        Raises:
            BudgetSpent: if they might exceed the budget.
        """
        if self._budget is None:
            return 0.0
        share = prices.batch_share(self.ref.label)
        return self._budget.admit(self.ref.label, characters, calls=calls, share=share)

    def receive(self, key: str, reply: Reply, like: ChatRequest, reserved: float) -> None:
        """Book and keep a reply that came in a batch.

        Args:
            key: of the request in the cache.
            reply: what the server said.
            like: a request of the same kind: with it went whatever secrets this one may repeat.
            reserved: what was kept back for it.
        """
        self.tally.batched = self.tally.batched or Tally()
        self.tally.batched.calls += 1
        self.tally.batched.count(reply.usage)
        if self._budget is not None:
            guess, share = _sizes(like, reply), prices.batch_share(self.ref.label)
            self._budget.settle(reserved, self.ref.label, reply.usage, guess=guess, share=share)
        if self._cache is not None and reply.status == "ok":
            self._cache.put(key, self._without_secrets(reply, like))

    def release(self, reserved: float) -> None:
        """Give back what was kept for requests of a batch that came to nothing."""
        if self._budget is not None:
            self._budget.release(reserved)

    def worded(self, error: ProviderError, like: ChatRequest | None) -> str:
        """Return what a provider says of a batch, as it may be shown: without what it quotes."""
        return str(error) if like is None else _harmless(str(error), like)

    def without_secrets(self, value: Any, like: ChatRequest) -> Any:
        """Return plain data that was or will be sent, as it may be written to a file."""
        return self._secrets_of(like).hide_in(value)

    async def describe(self) -> Mapping[str, Any]:
        """Return what the server says of the model before it is asked anything, empty if nothing; it costs nothing."""
        try:
            ask = getattr(self.provider, "described", None)
            return await ask() if ask is not None else {}
        except ProviderError:
            return {}

    async def aclose(self) -> None:
        """Stop calls that nobody waits for and close the connections."""
        for task in list(self._pending.values()):
            task.cancel()
        await asyncio.gather(*self._pending.values(), return_exceptions=True)
        if self._provider is not None:
            await self._provider.aclose()

    def _settle(self, key: str, task: asyncio.Task[Reply]) -> None:
        self._pending.pop(key, None)
        if not task.cancelled():
            task.exception()  # Seen here, so that a call whose waiters were cancelled does not warn at exit.

    async def _call(self, key: str, request: ChatRequest) -> Reply:
        reply = self._without_secrets(await self._answered(request), request)
        if self._cache is not None and reply.status == "ok":
            self._cache.put(key, reply)
        return reply

    async def _answered(self, request: ChatRequest) -> Reply:
        """Make attempts until there is an answer, or the endpoint says that there will be none."""
        self.endpoint.check()
        if request.context and not self.ref.simulated:
            request = dataclasses.replace(request, context={})
        characters = sum(len(message.content) for message in request.messages)
        call = Attempts()
        while True:
            try:
                async with self.endpoint.turn(call):
                    if self._quota is not None:
                        await self._quota.wait(characters)
                    async with self.limit:
                        self.endpoint.check()
                        if self.endpoint.keeps_out(call):
                            continue
                        reply = await self._send(request, characters)
            except ProviderError as error:
                if error.learned:
                    self.endpoint.alive = True
                    continue
                if error.late:
                    self.limit.late()
                await self.endpoint.failed(error, call, request.sampling.patience)
            else:
                self.endpoint.answered()
                return reply

    def _without_secrets(self, reply: Reply, request: ChatRequest) -> Reply:
        """Return a reply as it may be cached: what was sent with it can hold a key, and so can what came back."""
        found = self._secrets_of(request).hide_in_record(reply)
        return found.model_copy(update={"detail": _harmless(found.detail, request)}) if found.detail else found

    def _secrets_of(self, request: ChatRequest) -> secrets.Secrets:
        told = [item for message in request.messages if message.role == "system" for item in _told(message.content)]
        own = [*told, *secrets.in_parameters(request.sampling.extra)]
        return self._secrets + secrets.Secrets((), own) if own else self._secrets

    async def _send(self, request: ChatRequest, characters: int) -> Reply:
        """Make one attempt, within the budget."""
        reserved = self._budget.admit(self.ref.label, characters) if self._budget is not None else 0.0
        usage: Usage | None = None
        guess, lost = (0, 0), False
        self.tally.in_flight += 1
        self.tally.calls += 1
        begun = time.monotonic()
        try:
            with traced.call(self.role, self.ref, request) as span:
                reply = await self.provider.chat(request, patient=self.endpoint.alive)
                span.note(lambda: traced.answer(self._without_secrets(reply, request)))
            usage = reply.usage
            self.tally.count(usage)
            if self._budget is not None:
                guess = _sizes(request, reply)
        except ProviderError as error:
            error.args = (_harmless(str(error), request),)
            lost = error.late or error.http_status == 200
            self.tally.failed += 1
            raise
        finally:
            self.tally.in_flight -= 1
            self.tally.seconds += time.monotonic() - begun
            if self._budget is not None:
                self._budget.settle(reserved, self.ref.label, usage, guess=guess, lost=lost)
        return reply


def _sizes(request: ChatRequest, reply: Reply) -> tuple[int, int]:
    """Return the bytes of both: a token is at least a byte, so where the server counts none they never undercount."""
    sent = sum(len(message.content.encode()) for message in request.messages)
    return sent, len((reply.text + reply.reasoning).encode())


@lru_cache(maxsize=16)  # system prompts: the same ones for every call
def _told(text: str) -> tuple[str, ...]:
    """Return the secrets that a system prompt tells a model."""
    return tuple(filter(None, secrets.in_text(text)))


def _harmless(said: str, request: ChatRequest) -> str:
    """Return why a call failed or was blocked, for terminals and logs: servers quote what they were sent."""
    text = plain_text.without_quotations(said, (message.content for message in request.messages))
    return plain_text.one_line(text, _ERROR_CHARACTERS)
