"""What a provider is: one method that turns a request into a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from jmedethic_pytest.config.tables import Sampling
from jmedethic_pytest.core import secrets as secrecy
from jmedethic_pytest.core.records import Reply

Observer = Callable[[int, Mapping[str, str]], None]
"""Told the status and the headers of every answer of a server."""
Structured = Literal["schema", "object", "prompt"]


class Message(NamedTuple):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ModelRef:
    """A model, where it is served, and what that server understands."""

    provider: str
    name: str
    kind: str
    """Transport: ``openai``, ``anthropic``, ``demo`` or the name of a plugin's transport."""
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    structured: Structured = "prompt"
    """How JSON is asked for: by schema, by JSON mode, or by the prompt alone."""
    sampling: bool = True
    """False if the model refuses ``temperature`` and ``top_p``."""
    max_tokens_field: str = "max_tokens"

    @property
    def label(self) -> str:
        """``provider:name``, the name used in records, prices and messages."""
        return f"{self.provider}:{self.name}"

    @property
    def address(self) -> str | None:
        """The address as it may be shown: without user, password and the values of its query."""
        return self.base_url and secrecy.public_url(self.base_url)

    @property
    def secrets(self) -> secrecy.Secrets:
        """What must not be written anywhere: the key, and what the address holds."""
        return secrecy.Secrets([self.api_key, *secrecy.in_url(self.base_url)])

    @property
    def simulated(self) -> bool:
        """True for the built-in demo models."""
        return self.kind == "demo"

    def describe(self) -> dict[str, Any]:
        """Return what a run records about the model; never the key."""
        return {"model": self.label, "kind": self.kind, "base_url": self.address, "structured": self.structured}


@dataclass(frozen=True)
class ChatRequest:
    """One call: everything that may change the answer, and a label that may not."""

    messages: tuple[Message, ...]
    sampling: Sampling
    schema: Mapping[str, Any] | None = None
    """JSON schema the answer must follow, where the server can enforce it."""
    repeat: int = 0
    """Index of an independent repetition: part of the cache key, never sent."""
    label: str = ""
    """``<case id>/t<turn>`` for logs and demo models; neither sent nor part of the cache key."""


class Provider(Protocol):
    """A transport to one model."""

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        """Send one request.

        Args:
            request: the call.
            patient: false for the first call to an endpoint: fail soon instead of retrying for minutes.

        Raises:
            ProviderError: if the call failed for good. Refusals, blocks and cut replies are replies, not errors.
        """

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists, each with its announced end or ``None``, without any cost.

        Raises:
            ProviderError: if the server cannot be asked.
        """

    async def aclose(self) -> None:
        """Release the connections."""
