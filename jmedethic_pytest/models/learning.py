"""What a server says it does not take is not sent to it again: its dialect is learned from its own plain words.

Each change takes something away or is made once, so that the same request is sent again only a few times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from jmedethic_pytest.config.servers import SAMPLING, Dialect
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models.base import ChatRequest

_REFUSES = re.compile(
    r"unsupported|not (?:be )?support|unrecogni[sz]ed|unknown (?:name|parameter|argument|field|variant)|unexpected"
    r"|extra_forbidden|extra (?:inputs|fields)|not (?:permitted|allowed|enabled)|deprecated|unavailable"
    r"|cannot both be|only the default|may only be set to",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[a-z'\"`)])[.;]\s|\n")
_NO_SYSTEM = re.compile(
    r"system (?:role|prompt|message|instruction)s?\b|developer instructions?\b"
    r"|\brole\b.*['\"`](?:system|developer)['\"`]|variant [`'\"](?:system|developer)",
    re.IGNORECASE,
)
_NO_SYSTEM_ALONE = re.compile(r"roles must alternate|only (?:the )?user and assistant roles", re.IGNORECASE)
_FORMATS = ("response_format", "json_schema", "json_object", "output_config", "structured output", "structured outputs")
_CACHING = ("prompt_cache_key", "cache_control")
_OTHER_FIELD = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


class _Change(NamedTuple):
    dialect: dict[str, Any]
    words: str


class Learner:
    """The dialect of one server, and what it has taught so far.

    Args:
        dialect: what is known of it from the tables.
        kind: the transport.
    """

    def __init__(self, dialect: Dialect, kind: str) -> None:
        self.dialect = dialect
        self.learned: list[str] = []
        """What is sent otherwise than it was asked for, in words."""
        self._kind = kind
        self._told = dialect

    def hear(self, error: ProviderError, request: ChatRequest, spoken: Dialect) -> None:
        """Learn from what a server says of a request in a dialect.

        The error is marked as ``learned`` if the same request will now be sent otherwise.
        """
        # Calls that were in flight together all hear the same: the first of them learns for all.
        known = spoken is not self.dialect
        error.learned = error.http_status in (400, 422) and (known or self._learn(request, error))

    def _learn(self, request: ChatRequest, error: ProviderError) -> bool:
        renamed = self.dialect.max_tokens_field != self._told.max_tokens_field
        limit = self.dialect.max_tokens_field if self._kind == "openai" and not renamed else None
        change = next(_changes(self.dialect, request, error.said, limit), None)
        if change is None:
            return False
        self.dialect = self.dialect.model_copy(update=change.dialect)
        self.learned.append(change.words)
        return True


def _changes(dialect: Dialect, request: ChatRequest, said: str, limit: str | None) -> Iterator[_Change]:
    """Yield what a server's words ask for, of what can be changed without asking another question.

    Args:
        dialect: in which the request was sent.
        request: the call.
        said: the server's words.
        limit: the name of the limit of tokens, if it can have another.
    """
    has_system = any(message.role == "system" for message in request.messages)
    for sentence in _SENTENCE.split(said):
        refuses = _REFUSES.search(sentence)
        no_system = _NO_SYSTEM_ALONE.search(sentence) or (refuses and _NO_SYSTEM.search(sentence))
        if no_system and has_system and dialect.system_role in ("system", "developer"):
            words = f"the server takes no message of the role {dialect.system_role!r}"
            yield _Change({"system_role": "user"}, f"the system prompt is sent before the first message: {words}")
        if refuses is None:
            continue
        sent = [name for name in SAMPLING if dialect.takes(name) and getattr(request.sampling, name) is not None]
        marks = _CACHING if dialect.prompt_cache else ()
        formats = _FORMATS if request.schema is not None and dialect.structured != "prompt" else ()
        name = _nearest(sentence, refuses, [*sent, *([limit] if limit else []), *marks, *formats])
        if name in SAMPLING:
            left = tuple(other for other in SAMPLING if dialect.takes(other) and other != name)
            yield _Change({"sampling": left}, f"{name} is not sent: the server refuses it")
        elif name and name == limit:
            other = _OTHER_FIELD[name]
            yield _Change({"max_tokens_field": other}, f"{other} is sent in the place of {name}, which is refused")
        elif name in marks:
            yield _Change({"prompt_cache": False}, f"{name} is not sent: the server refuses it")
        elif name:
            lower = "object" if dialect.structured == "schema" and name != "output_config" else "prompt"
            words = f"JSON is asked for by {lower!r} in the place of {dialect.structured!r}, which is refused"
            yield _Change({"structured": lower}, words)


def _nearest(sentence: str, refuses: re.Match[str], names: list[str]) -> str | None:
    """Return the one of some names that stands nearest to the refusal in its sentence."""
    found = [
        (max(match.start() - refuses.end(), refuses.start() - match.end()), name)
        for name in names
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", sentence, re.IGNORECASE)
    ]
    return min(found, default=(0, None))[1]
