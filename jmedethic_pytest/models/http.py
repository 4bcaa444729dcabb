"""What both HTTP transports share: retries, the total deadline, and the wording of failures."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from jmedethic_pytest.core import secrets
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models import addresses
from jmedethic_pytest.models.base import ModelRef
from jmedethic_pytest.models.ending import is_block

RETRIES = 8
"""Retries of the SDK once an endpoint has answered before (408, 409, 429, 5xx, connection errors)."""
RETRIES_FIRST = 1
"""Retries of the first call, so that a dead endpoint is known within seconds."""
CONNECT_TIMEOUT = 10.0
NAME_CHARACTERS = 60
"""More of a word such as a finish reason is not kept, whatever a server writes there."""
_FATAL_STATUS = {401, 402, 403, 404}
_NO_BLOCK = {401, 402, 404, 408, 409, 429}
"""Statuses that are never a filter's, whatever words stand beside them."""
_SERVED_CHARACTERS = 200
_PAGE = re.compile(r"\s*<(?:!doctype|html)\b", re.IGNORECASE)
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
T = TypeVar("T")


async def call(
    ref: ModelRef, send: Callable[[], Awaitable[Any]], *, timeout: float, sdk: Any
) -> tuple[dict[str, Any], float]:
    """Await one SDK call under a total deadline; return the decoded body and the seconds it took.

    Args:
        ref: the model, for error texts and to keep its key out of them.
        send: starts the call.
        timeout: seconds for the call with all its retries.
        sdk: the SDK module, whose exception classes are caught.

    Raises:
        ProviderError: for every failure.
    """
    begun = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            body = await send()
    except TimeoutError:
        raise ProviderError(f"{ref.label}: no answer within {timeout:g} s (all retries included)") from None
    except sdk.APIStatusError as error:
        status = error.status_code
        blocked = 400 <= status < 500 and status not in _NO_BLOCK and is_block(error.body, _body_text(error))
        said = shown(ref, _body_text(error), 500)
        text = f"{ref.label} at {ref.address}: HTTP {status}: {said}{_next_step(ref, status)}"
        fatal = status in _FATAL_STATUS and not blocked
        raise ProviderError(text, fatal=fatal, http_status=status, blocked=blocked, said=said) from None
    except sdk.APIConnectionError as error:
        cause = error.__cause__ or error
        text = f"{ref.label} at {ref.address}: no connection: {type(cause).__name__}: {shown(ref, str(cause), 300)}"
        raise ProviderError(text) from None
    except (sdk.APIError, ValueError, RecursionError) as error:
        text = f"{ref.label} at {ref.address}: unreadable answer: {shown(ref, str(error), 300)}"
        raise ProviderError(text) from None
    if not isinstance(body, dict):
        raise ProviderError(f"{ref.label} at {ref.address}: the answer is no JSON object: {_foreign(ref, body)}")
    return body, time.monotonic() - begun


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


def read(ref: ModelRef, answer: dict[str, Any], reader: Callable[[dict[str, Any]], T]) -> T:
    """Return what a reader makes of an answer; an answer of an unexpected shape fails this call alone.

    Raises:
        ProviderError: if the reader cannot make sense of the answer.
    """
    try:
        return reader(answer)
    except _UNREADABLE:
        seen = shown(ref, plain_text.shape(answer), 300)
        text = f"{ref.label} at {ref.address}: the answer has an unexpected shape: {seen}"
        raise ProviderError(text, http_status=200) from None


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
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def served(answer: dict[str, Any]) -> str:
    """Return who answered, as the server says: the model's name, and the provider that a router passed it on to."""
    name, provider = answer.get("model"), answer.get("provider")
    shown = name if isinstance(name, str) else ""
    shown += f" ({provider})" if isinstance(provider, str) and provider else ""
    return sound(shown[:_SERVED_CHARACTERS])


def word(value: Any) -> str:
    """Return a short word of a server's, such as a fingerprint; empty if it is none."""
    return sound(value[:NAME_CHARACTERS]) if isinstance(value, str) else ""


def sound(text: str) -> str:
    """Replace lone surrogates, which JSON can carry but no file can: a broken character must not end a run."""
    return text.encode(errors="replace").decode()


def shown(ref: ModelRef, value: Any, limit: int) -> str:
    """Return a value for an error text: without the key, not even cut in the middle, on one line within the limit."""
    text = ref.secrets.hide(str(value))
    text = text.replace(ref.api_key, secrets.HIDDEN) if ref.api_key else text
    return plain_text.one_line(text, limit)


def _foreign(ref: ModelRef, body: Any) -> str:
    """Describe an answer that is none: the beginning of a web page, or its type, since it may be a model's text."""
    page = isinstance(body, str) and _PAGE.match(body)
    return repr(shown(ref, body, 80)) if page else plain_text.shape(body)


def _body_text(error: Any) -> str:
    inner = _error_table(error)
    return str((inner.get("message") if isinstance(inner, dict) else inner) or error)


def _error_table(error: Any) -> Any:
    body = getattr(error, "body", None)
    return body.get("error", body) if isinstance(body, dict) else body
