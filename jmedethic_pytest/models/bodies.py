"""What is sent: the bodies of both protocols, in the dialect of the server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from jmedethic_pytest.config.servers import SAMPLING, Dialect
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models.base import ChatRequest, Message


def openai(name: str, request: ChatRequest, dialect: Dialect) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the body of a chat completion, and the parameters in it that a record keeps as sent.

    Args:
        name: the model, as the server knows it.
        request: the call.
        dialect: what the server needs to be told, and how.

    Raises:
        ProviderError: if there is a system prompt and the server takes none.
    """
    sent = _parameters(request, dialect, dialect.max_tokens_field)
    if request.schema is not None and dialect.structured == "schema":
        asked = {"name": "judgement", "strict": True, "schema": request.schema}
        sent["response_format"] = {"type": "json_schema", "json_schema": asked}
    elif request.schema is not None and dialect.structured == "object":
        sent["response_format"] = {"type": "json_object"}
    spoken = _spoken(request.messages, dialect)
    messages = [_plain(message, dialect.system_role) for message in spoken]
    system = _system(spoken) if dialect.prompt_cache else ""
    # Requests of one key and beginning go to one machine, up to some fifteen a minute: those of one conversation.
    marked = {"prompt_cache_key": _digest(system + request.beginning)} if system else {}
    return {"model": name, "messages": messages, **marked, **sent, "stream": dialect.stream}, sent


def anthropic(name: str, request: ChatRequest, dialect: Dialect) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the body of a message, and the parameters in it that a record keeps (see :func:`openai`)."""
    sent = _parameters(request, dialect, "max_tokens")
    if request.schema is not None and dialect.structured == "schema":
        sent["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    spoken = _spoken(request.messages, dialect)
    system: Any = _system(spoken)
    if system and dialect.prompt_cache:
        system = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
    messages: list[dict[str, Any]] = [_plain(message) for message in spoken if message.role != "system"]
    if request.cache_ends and dialect.prompt_cache and dialect.system_role == "system":
        messages[0]["content"] = list(_pieces(messages[0]["content"], request.cache_ends))
    said = {"system": system} if system else {}
    return {"model": name, "messages": messages, **said, **sent, "stream": dialect.stream}, sent


def _pieces(content: str, ends: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield a message in the pieces of which later requests begin, the last of those marked for the cache."""
    for begin, end in pairwise((0, *ends, len(content))):
        marked = {"cache_control": {"type": "ephemeral"}} if end == ends[-1] and begin < end else {}
        if begin < end:
            yield {"type": "text", "text": content[begin:end], **marked}


def _parameters(request: ChatRequest, dialect: Dialect, max_tokens_field: str) -> dict[str, Any]:
    sampling = request.sampling
    wanted = {name: getattr(sampling, name) for name in SAMPLING if dialect.takes(name)}
    given = {name: value for name, value in wanted.items() if value is not None}
    return {max_tokens_field: sampling.max_tokens, **sampling.extra, **given}


def _system(messages: Sequence[Message]) -> str:
    return "\n\n".join(message.content for message in messages if message.role == "system")


@lru_cache(maxsize=16)
def _digest(system: str) -> str:
    return hashlib.sha256(system.encode(errors="replace")).hexdigest()[:32]


def _plain(message: Message, system_role: str = "system") -> dict[str, str]:
    return {"role": system_role if message.role == "system" else message.role, "content": message.content}


def _spoken(messages: Sequence[Message], dialect: Dialect) -> Sequence[Message]:
    """Return the messages with the system prompt where the server takes it."""
    if dialect.system_role not in ("user", "none") or all(message.role != "system" for message in messages):
        return messages
    if dialect.system_role == "none":
        raise ProviderError(
            'the server takes no system prompt (system_role = "none" in its table of [providers]), and the call has '
            'one. Next: system_role = "user", which puts it before the first message; or no [target] system',
            fatal=True,
        )
    return list(_before_the_user(messages))


def _before_the_user(messages: Sequence[Message]) -> Iterator[Message]:
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            yield Message("user", "\n\n".join([*waiting, message.content]))
            waiting = []
        else:
            yield message
    if waiting:
        yield Message("user", "\n\n".join(waiting))
