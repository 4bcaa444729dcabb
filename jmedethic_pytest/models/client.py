"""One model, called through cache, single-flight and accounting; a dead endpoint is recognised here."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Iterable, Mapping
from typing import Any

from jmedethic_pytest.core import secrets
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.base import CacheMode, ChatRequest, ModelRef, Provider, Role
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.limits import AdaptiveLimit, Quota
from jmedethic_pytest.models.registry import open_provider

MAX_FAILURES_IN_A_ROW = 10
"""Calls to one endpoint that may fail one after the other before the run is given up.

The last of them must have begun after the first had failed: calls that were in flight together may all have met one
short trouble, such as a computer too busy to read the answers in time.
"""

FIRST_CALL_SECONDS = 2.0
"""How long other calls to an endpoint wait for the first one to show whether it is there."""
_ERROR_CHARACTERS = 1_000
_BUSY = {408, 409, 429, 500, 502, 503, 504, 529}
"""Answers of a server that is there and may be able to serve later."""


class Tally:
    """What calls to one model have cost so far."""

    def __init__(self) -> None:
        self.calls = 0
        """Calls that went to the server (retries inside the SDK not counted)."""
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
        """Time of all answered calls together."""
        self.uncounted = 0
        """Calls whose answer came without token counts."""

    @property
    def usage(self) -> Usage:
        """All tokens together."""
        return Usage(
            input=self.input_tokens,
            output=self.output_tokens,
            cached=self.prompt_cached,
            cache_write=self.prompt_written,
        )


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
        self.limit = AdaptiveLimit(ceiling)
        self._quota = quota
        self._budget = budget
        self._provider: Provider | None = None
        self._pending: dict[str, asyncio.Task[Reply]] = {}
        self._alive = False
        self._probe: asyncio.Event | None = None
        self._answered = False
        self._failures = 0
        self._failing_since = 0.0
        """When the first of these failures was seen."""
        self._dead: str | None = None

    @property
    def learned(self) -> tuple[str, ...]:
        """What the server refused in plain words and is therefore sent otherwise than it was asked for."""
        return tuple(getattr(self._provider, "learned", ()))

    async def chat(self, request: ChatRequest) -> Reply:
        """Return the reply to a request; equal requests at the same time share one call.

        Raises:
            ProviderError: if this call failed; other calls may succeed.
            RunAborted: if no call to this endpoint can succeed.
        """
        key = caching.key(self.role, self.ref, request)
        if self.role == "target" and self._cache is not None:
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
        """Take the replies to these out of the cache: they were none, and the next run is to ask again.

        Raises:
            StoreError: if the cache cannot be used.
        """
        if self._cache is not None and self._mode != "only":
            self._cache.forget(caching.key(self.role, self.ref, request) for request in requests)

    async def describe(self) -> Mapping[str, Any]:
        """Return what the server says of the model before it is asked anything, empty if nothing; it costs nothing."""
        try:
            if self._provider is None:
                self._provider = open_provider(self.ref, self.limit.observe)
            ask = getattr(self._provider, "described", None)
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
        if self._dead is not None:
            raise RunAborted(self._dead)
        characters = sum(len(message.content) for message in request.messages)
        if self._quota is not None:
            await self._quota.wait(characters)
        async with self.limit.slot():
            reply = self._without_secrets(await self._send(request, characters), request)
        self._alive = self._answered = True
        self._failures = 0
        self._count(reply)
        if self._cache is not None and reply.status == "ok":
            self._cache.put(key, reply)
        return reply

    def _without_secrets(self, reply: Reply, request: ChatRequest) -> Reply:
        """Return a reply as it may be cached: what was sent with it can hold a key, and so can what came back."""
        own = secrets.Secrets((), secrets.in_parameters(request.sampling.extra)) if request.sampling.extra else None
        found = (self._secrets + own if own else self._secrets).hide_in_record(reply)
        return found.model_copy(update={"detail": _harmless(found.detail, request)}) if found.detail else found

    async def _send(self, request: ChatRequest, characters: int) -> Reply:
        """Make the call, within the budget."""
        if self._dead is not None:
            raise RunAborted(self._dead)
        if request.context and not self.ref.simulated:
            request = dataclasses.replace(request, context={})
        reserved = self._budget.admit(self.ref.label, characters) if self._budget is not None else 0.0
        usage: Usage | None = None
        guess = (0, 0)
        self.tally.in_flight += 1
        begun = time.monotonic()
        try:
            if self._provider is None:
                self._provider = open_provider(self.ref, self.limit.observe)
            reply = await self._first_or_next(self._provider, request)
            usage = reply.usage
            if self._budget is not None:
                # A token is at least a byte: where the server counts nothing, bytes never undercount.
                sent = sum(len(message.content.encode()) for message in request.messages)
                guess = (sent, len((reply.text + reply.reasoning).encode()))
        except ProviderError as error:
            error.args = (_harmless(str(error), request),)
            self._count_failure(error, begun)
            raise
        finally:
            self.tally.in_flight -= 1
            if self._budget is not None:
                self._budget.settle(reserved, self.ref.label, usage, guess=guess)
        return reply

    async def _first_or_next(self, provider: Provider, request: ChatRequest) -> Reply:
        """Be impatient until the endpoint has shown that it is there; "too busy" shows it as well as an answer."""
        if self._probe is None:
            self._probe = asyncio.Event()
        elif not self._alive:
            # The first call finds out a dead endpoint; the others give it a moment, but a slow one holds up nobody.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._probe.wait(), FIRST_CALL_SECONDS)
            if self._dead is not None:
                raise RunAborted(self._dead)
        try:
            return await provider.chat(request, patient=self._alive)
        except ProviderError as error:
            if self._alive or error.http_status not in _BUSY:
                raise
            self._alive = True
        finally:
            self._probe.set()
        return await provider.chat(request, patient=True)

    def _count(self, reply: Reply) -> None:
        self.tally.calls += 1
        self.tally.seconds += reply.seconds
        self.tally.input_tokens += reply.usage.input or 0
        self.tally.output_tokens += reply.usage.output or 0
        self.tally.prompt_cached += reply.usage.cached or 0
        self.tally.prompt_written += reply.usage.cache_write or 0
        self.tally.uncounted += reply.usage.input is None or reply.usage.output is None

    def _count_failure(self, error: ProviderError, begun: float) -> None:
        self.tally.calls += 1
        self.tally.failed += 1
        # Once an endpoint has answered, a 4xx is about one request (a conversation too long, say), not about it.
        about_request = self._answered and error.http_status is not None and 400 <= error.http_status < 429
        if self._failures == 0:
            self._failing_since = time.monotonic()
        self._failures += not about_request
        lasting = self._failures >= MAX_FAILURES_IN_A_ROW and begun >= self._failing_since
        unreachable = not self._answered and error.http_status is None
        if error.fatal or unreachable or lasting:
            self._dead = _farewell(self.role, error, self._failures)
            raise RunAborted(self._dead) from None


def _harmless(said: str, request: ChatRequest) -> str:
    """Return why a call failed or was blocked, for terminals and logs: servers quote what they were sent."""
    text = plain_text.without_quotations(said, (message.content for message in request.messages))
    return plain_text.one_line(text, _ERROR_CHARACTERS)


def _farewell(role: Role, error: ProviderError, failures: int) -> str:
    what = {"target": "the model under test", "judge": "a judge"}.get(role, f"the model in the role {role!r}")
    after = f" ({failures} calls failed one after the other)" if failures >= MAX_FAILURES_IN_A_ROW else ""
    return (
        f"{what} cannot be used: {error}{after}. The run stops here; finished work is kept and the same command "
        "resumes it. Next: check address, key and model name with `jmedethic doctor`."
    )
