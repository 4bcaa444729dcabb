"""What a provider is: one method that turns a request into a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core import secrets as secrecy
from jmedethic_pytest.core.records import Case, Reply

Observer = Callable[[int, Mapping[str, str]], None]
"""Told the status and the headers of every answer of a server."""
Role = Literal[
    "target",
    "probe",
    "judge",
    "golden",
    "generator",
    "validator",
    "refusal_judge",
    "attacker",
    "reference",
    "scorer",
    "summariser",
    "translator",
    "embedder",
    "examinee",
]
"""What a model is asked for."""
CacheMode = Literal["use", "judges", "refresh", "only", "off"]
NO_KEY = "none"
"""What an SDK is given in the place of a key; it never leaves the machine."""
DEMO = "demo"
"""The provider that is a simulation; no other one can have its name."""


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
    """Transport: ``openai``, ``anthropic``, ``demo``, or the provider of another distribution."""
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    dialect: Dialect = field(default_factory=Dialect, hash=False)
    """What the server needs to be told, and how."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Headers of every request, with what the environment holds in the place of its variables."""
    cloud: str | None = None
    """The cloud that serves it under an address and with credentials of its own."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """What else of the environment is sent along and must not be written anywhere."""
    revision: str = ""
    """Which weights answer under this name, as far as anybody said; replies of another revision are other replies."""
    withheld_key: str | None = None
    """Variable whose key is not sent, since the address is not that provider's own."""
    served: str | None = None
    """By what server of the run's own; it stands in records and keys in the place of an address that is another one in
    every run."""
    asked: str | None = None
    """The name it is asked for by, where that is not :attr:`name`."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Parameters of every call that say who of a server answers: which adapter. The name tells it apart in records."""

    @property
    def label(self) -> str:
        """``provider:name``, the name used in records, prices and messages."""
        return f"{self.provider}:{self.name}"

    @property
    def address(self) -> str | None:
        """The address as it may be shown: without user, password and the values of its query."""
        return self.served or (self.base_url and secrecy.public_url(self.base_url))

    @property
    def asked_as(self) -> str:
        """The name as the server knows it."""
        return self.asked or self.name

    @property
    def secrets(self) -> secrecy.Secrets:
        """What must not be written anywhere: the key, and what address, query, headers and proxies hold."""
        given = secrecy.in_parameters({"headers": dict(self.headers), **self.dialect.query})
        address = (*secrecy.in_url(self.base_url), *secrecy.in_environment())
        return secrecy.Secrets([self.api_key, *self.hidden], [*address, *given])

    @property
    def simulated(self) -> bool:
        """True for the built-in simulations."""
        return self.provider == DEMO

    @property
    def takes_batches(self) -> bool:
        """True if many requests can be handed over to it at once."""
        return self.dialect.batch != "none" and not self.simulated

    def describe(self) -> dict[str, Any]:
        """Return what a run records about the model; never the key."""
        peculiar = self.dialect.peculiar
        return {
            "model": self.label,
            "kind": self.kind,
            "base_url": self.address,
            "structured": self.dialect.structured,
            **({"cloud": self.cloud} if self.cloud else {}),
            **({"dialect": peculiar} if peculiar else {}),
        }


@dataclass(frozen=True)
class ChatRequest:
    """One call: everything that may change the answer, and what only a simulation may know."""

    messages: tuple[Message, ...]
    sampling: Sampling
    schema: Mapping[str, Any] | None = None
    """JSON schema the answer must follow, where the server can enforce it."""
    repeat: int = 0
    """Index of an independent repetition: part of the cache key, never sent."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the request is about, for scripted models: never sent, no part of the cache key, and taken away before any
    other transport sees the request (it may hold the right answers of an exam)."""
    cache_ends: tuple[int, ...] = ()
    """Where in the first message of the user a piece ends with which later requests begin: marks for a provider's
    prompt cache, no part of our cache's key. The answer does not depend on them."""

    @property
    def beginning(self) -> str:
        """With what the user's first message begins in all requests of a conversation; empty if that is unknown."""
        user = next((message.content for message in self.messages if message.role == "user"), "")
        return user[: self.cache_ends[0]] if self.cache_ends else ""


def case_context(case: Case, turn: int) -> dict[str, Any]:
    """Return what a scripted target or judge is told about a turn of a case."""
    return {
        "case": case.id,
        "locale": case.locale,
        "strategy": case.strategy,
        "twin": case.twin_of is not None,
        "turn": turn,
    }


class Provider(Protocol):
    """A transport to one model, made as ``Class(ref, observe)`` (docs/how-to/extend.md).

    A class may say of itself, as attributes: ``api_key_env``, the environment variable with the key that
    :attr:`ModelRef.api_key` is to hold, or ``optional_key_env``; ``base_url``, the usual address; and ``structured``.
    """

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:
        """Make one attempt of a call; who calls decides whether there is another.

        Args:
            request: the call.
            patient: false until the endpoint has shown that it is there.

        Raises:
            ProviderError: if the attempt failed. Refusals, blocks and cut replies are replies, not errors.
        """

    async def models(self) -> dict[str, str | None]:
        """Return the models the server lists, each with its announced end or ``None``, without any cost.

        Raises:
            ProviderError: if the server cannot be asked.
        """

    async def aclose(self) -> None:
        """Release the connections."""
