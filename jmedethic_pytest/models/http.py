"""What both HTTP transports share: one attempt under its deadline, what its failure means, and its wording."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from jmedethic_pytest.core import secrets
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.errors import ProviderError, Trouble
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import addresses, pauses
from jmedethic_pytest.models import trouble as troubles
from jmedethic_pytest.models.base import ModelRef
from jmedethic_pytest.models.ending import Unfinished

CONNECT_TIMEOUT = 10.0
MOST_TOKENS = 10**9
"""A larger count of tokens is none."""
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
"""What a finish reason looks like; anything else in its place may be a text."""
_SERVED_CHARACTERS = 200
_UNREADABLE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, RecursionError)
T = TypeVar("T")


async def call(
    ref: ModelRef, send: Callable[[], Awaitable[Any]], *, timeout: float, sdk: Any
) -> tuple[dict[str, Any], float]:
    """Await one attempt of a call; return the decoded body and the seconds it took.

    Args:
        ref: the model, for error texts and to keep its key out of them.
        send: starts the attempt; the SDK must not try again by itself.
        timeout: seconds for it.
        sdk: the SDK module, whose exception classes are caught.

    Raises:
        ProviderError: for every failure.
    """
    begun = time.monotonic()
    body = await attempt(ref, send, timeout=timeout, sdk=sdk)
    if not isinstance(body, dict):
        text = f"{ref.label} at {ref.address}: the answer is no JSON object: {_foreign(ref, body)}"
        raise ProviderError(text, trouble="retry", http_status=200)
    return body, time.monotonic() - begun


async def attempt(ref: ModelRef, send: Callable[[], Awaitable[T]], *, timeout: float, sdk: Any) -> T:
    """Await one attempt to ask a server anything; arguments and errors are those of :func:`call`."""
    try:
        async with asyncio.timeout(timeout):
            return await send()
    except TimeoutError:
        raise ProviderError(f"{ref.label}: no answer within {timeout:g} s", trouble="retry", late=True) from None
    except sdk.APIStatusError as error:
        raise _refused(ref, error.status_code, error.body, _body_text(error), error.response.headers) from None
    except sdk.APIConnectionError as error:
        raise _not_connected(ref, error.__cause__ or error) from None
    except (sdk.APIError, ValueError, RecursionError) as error:
        text = f"{ref.label} at {ref.address}: unreadable answer: {shown(ref, str(error), 300)}"
        raise ProviderError(text, trouble="retry", http_status=200) from None


async def reply(
    ref: ModelRef,
    send: Callable[[], Awaitable[Any]],
    reader: Callable[[dict[str, Any], dict[str, Any], float], Reply],
    *,
    sent: dict[str, Any],
    timeout: float,
    sdk: Any,
) -> Reply:
    """Return what came of one attempt; a block by a filter is a reply too.

    Args:
        ref: as for :func:`call`, like the next one and the last two.
        send: starts the attempt.
        reader: makes a reply of an answer, what was sent, and the seconds it took.
        sent: the parameters of the call, for the record.
        timeout: seconds for it.
        sdk: the SDK module.

    Raises:
        ProviderError: for every other failure.
    """
    try:
        answer, seconds = await call(ref, send, timeout=timeout, sdk=sdk)
        return read(ref, answer, reader, sent, seconds)
    except ProviderError as error:
        if error.trouble != "block":
            raise
        return Reply(text="", status="blocked", detail=str(error), finish="content_filter", sent=sent)


def _refused(ref: ModelRef, status: int, body: Any, message: str, headers: Any) -> ProviderError:
    """Return the error for an answer that says it is one."""
    trouble: Trouble = troubles.trouble(status, body, message)
    if headers.get("x-should-retry") == "false" and trouble in ("wait", "retry"):
        trouble = "request"
    said = shown(ref, message, 500)
    categories = troubles.filtered(body) if trouble == "block" else ""
    because = f" (filtered: {categories})" if categories else ""
    text = f"{ref.label} at {ref.address}: HTTP {status}: {said}{because}{_next_step(ref, status)}"
    return ProviderError(text, trouble=trouble, http_status=status, pause=pauses.asked(headers), said=said)


def _not_connected(ref: ModelRef, cause: BaseException) -> ProviderError:
    if isinstance(cause, ProviderError):  # an answer that we would not read, wrapped by an SDK
        return cause
    text = f"{ref.label} at {ref.address}: no connection: {type(cause).__name__}: {shown(ref, str(cause), 300)}"
    # By name: the classes are those of the connections' library, which stays behind its fence.
    kind = type(cause).__name__
    nobody = kind in ("ConnectError", "ProxyError")
    # An answer that breaks the protocol is one all the same, and will not be better after many attempts.
    return ProviderError(
        text, trouble="wait" if nobody else "retry", http_status=200 if kind == "ProtocolError" else None
    )


def _next_step(ref: ModelRef, status: int) -> str:
    """Return what to do about an answer that tells of a wrong setting."""
    if status in (404, 405) and ref.base_url:
        return addresses.advice(ref.base_url, ref.kind)
    if ref.withheld_key is None or status not in (401, 403):
        return ""
    return (
        f". {ref.withheld_key} was not sent: the address is not that of {ref.provider}. If it is for this server, "
        f"describe the server as [providers.NAME] with base_url and api_key_env in the thresholds file"
    )


def read(ref: ModelRef, answer: dict[str, Any], reader: Callable[..., T], *more: Any) -> T:
    """Return what a reader makes of an answer and more; one of an unexpected shape fails this attempt alone.

    Raises:
        ProviderError: if the answer is an error after all, its server broke it off, or the reader cannot make sense
            of it.
    """
    error = troubles.beside(answer)
    if error is not None:
        refused = _refused(ref, troubles.stated_status(error), error, troubles.said(error), {})
        if refused.trouble == "block" and _shows_text(answer):
            refused.trouble = "request"  # what the user has seen is no refusal, and not known to be all of it
        raise refused
    try:
        return reader(answer, *more)
    except Unfinished as broken:
        text = f"{ref.label} at {ref.address}: {broken}"
        raise ProviderError(text, trouble="retry", http_status=200) from None
    except _UNREADABLE:
        if message := troubles.instead(answer):
            raise _refused(ref, troubles.stated_status(answer), answer, message, {}) from None
        seen = shown(ref, plain_text.shape(answer), 300)
        text = f"{ref.label} at {ref.address}: the answer has an unexpected shape: {seen}"
        raise ProviderError(text, trouble="retry", http_status=200) from None


def _shows_text(answer: dict[str, Any]) -> bool:
    """Tell whether an answer in either protocol holds some text of a reply."""
    with suppress(*_UNREADABLE):
        choices = answer.get("choices")
        message = choices[0].get("message") if choices else answer
        return not plain_text.blank(content_text(message.get("content")))
    return False


def content_text(content: Any) -> str:
    """Return the text of a message: a string, or the text parts of a list.

    Raises:
        TypeError: for any other shape.
    """
    if content is None or isinstance(content, str):
        return content or ""
    parts = [content] if isinstance(content, dict) else content
    if not isinstance(parts, list):
        raise TypeError(type(content).__name__)
    return "".join(content_text(part["text"]) for part in parts if part.get("type", "text") == "text")


def count(value: Any) -> int | None:
    """Return a token count, ``None`` for anything that is none."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
    return value if known else None


def served(answer: dict[str, Any]) -> str:
    """Return who answered, as the server says: the model's name, and the provider that a router passed it on to."""
    name, provider = answer.get("model"), answer.get("provider")
    shown = name if isinstance(name, str) else ""
    shown += f" ({provider})" if isinstance(provider, str) and provider else ""
    return _named(shown[:_SERVED_CHARACTERS])


@lru_cache(maxsize=64)
def _named(served: str) -> str:
    return " ".join(plain_text.visible(served).split())


def word(value: Any) -> str:
    """Return a short word of a server's, such as a fingerprint; empty if it is none."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def finish(value: Any) -> str:
    """Return a finish reason; a sign for something in its place that is no word, which may be a model's text."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = value.replace(": ", ":", 1)  # Gemini's: "content_filter: RECITATION"
    return value if isinstance(value, str) and _NAME.fullmatch(value) else plain_text.SIGN


def shown(ref: ModelRef, value: Any, limit: int) -> str:
    """Return a value for an error text: without the key, not even cut in the middle, on one line within the limit."""
    text = ref.secrets.hide(str(value))
    text = text.replace(ref.api_key, secrets.HIDDEN) if ref.api_key else text
    return plain_text.one_line(text, limit)


def _foreign(ref: ModelRef, body: Any) -> str:
    """Describe an answer that is none: the beginning of a web page, or its type, since it may be a model's text."""
    page = isinstance(body, str) and troubles.is_page(body)
    return repr(shown(ref, body, 80)) if page else plain_text.shape(body)


def _body_text(error: Any) -> str:
    return troubles.said(error.body) or str(error)
