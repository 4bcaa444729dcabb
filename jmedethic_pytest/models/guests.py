"""A provider of another distribution, held to what the built-in ones keep of themselves."""

from __future__ import annotations

import asyncio
import contextlib
import time

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import http
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Provider
from jmedethic_pytest.models.ending import Unfinished, ending
from jmedethic_pytest.models.reasoning import split_reasoning

_ERROR_CHARACTERS = 500


class Guarded:
    """Keeps the deadline, turns what the provider raises into words, and takes nothing for a reply that is none.

    Args:
        provider: the other distribution's.
        ref: the model it was opened for.
    """

    def __init__(self, provider: Provider, ref: ModelRef) -> None:
        self._provider = provider
        self._ref = ref

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        """Send one request (see :class:`jmedethic_pytest.models.base.Provider`)."""
        begun = time.monotonic()
        timeout = request.sampling.timeout
        try:
            async with asyncio.timeout(timeout):
                reply = await self._provider.chat(request, patient=patient)
        except TimeoutError:
            text = f"{self._ref.label}: no answer within {timeout:g} s"
            raise ProviderError(text, trouble="retry", late=True) from None
        except Exception as error:  # noqa: BLE001 - somebody else's code: one failed call, in words
            raise self._failed(error) from None
        if not isinstance(reply, Reply):
            text = f"{self._ref.label}: the provider returned a {type(reply).__name__}, not a jmedethic_pytest.Reply"
            raise ProviderError(text, fatal=True)
        try:
            return _whole(reply, request.sampling.max_tokens, time.monotonic() - begun)
        except Unfinished as broken:
            raise ProviderError(f"{self._ref.label}: {broken}", trouble="retry", http_status=200) from None

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists (see :class:`jmedethic_pytest.models.base.Provider`)."""
        try:
            async with asyncio.timeout(http.CONNECT_TIMEOUT):
                return dict(await self._provider.models())
        except Exception as error:  # noqa: BLE001 - as above
            raise self._failed(error) from None

    async def aclose(self) -> None:
        """Release the connections; a provider that cannot is no reason to lose a run."""
        with contextlib.suppress(Exception):
            await self._provider.aclose()

    def _failed(self, error: Exception) -> ProviderError:
        """Return an error for what was raised, without the key."""
        said = http.shown(self._ref, error, _ERROR_CHARACTERS)
        if isinstance(error, ProviderError):
            error.args = (said,)
            return error
        return ProviderError(f"{self._ref.label}: the provider raised {type(error).__name__}: {said}")


def _whole(reply: Reply, allowed: int, seconds: float) -> Reply:
    """Return a reply as it may be judged and stored: without reasoning, and only ``ok`` if it is all of one."""
    shown, hidden, unfinished = split_reasoning(plain_text.whole(reply.text))
    status, detail = reply.status, reply.detail
    if status == "ok":
        used = reply.usage.output
        status, detail = ending(
            reply.finish or "stop",
            shown,
            unfinished=unfinished,
            used=used,
            allowed=allowed,
            reasoned=bool(hidden or reply.reasoning),
        )
    elif detail:
        detail = f"the provider says: {detail}"
    changed = {
        "text": shown,
        "status": status,
        "detail": detail,
        "reasoning": plain_text.whole(reply.reasoning) or hidden,
        "seconds": reply.seconds or seconds,
        "cached": False,
    }
    return reply.model_copy(update=changed)
