"""Tables about servers that the thresholds file and the file of the generation share: addresses, prices, quotas."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.core.secrets import names_a_secret

SAMPLING = ("temperature", "top_p")
"""Parameters of sampling that a server may refuse."""
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
"""A variable of the environment inside the value of a header."""
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = ("host", "connection", "content-length", "content-type", "transfer-encoding", "accept-encoding", "cookie")
"""Headers that belong to the transport."""


Batch = Literal["none", "files", "messages", "inline", "command"]
BATCH_COMMAND = "vllm run-batch"


class Table(BaseModel):
    """A table of a settings file: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dialect(Table):
    """What a server needs to be told, and how."""

    structured: Literal["schema", "object", "prompt"] = "prompt"
    """How judges there are asked for JSON: by schema, by JSON mode, or by the prompt alone."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls the limit of a reply."""
    system_role: Literal["system", "developer", "user", "none"] = "system"
    """Whose message the system prompt is; `user`: it stands before the first message of the user; `none`: the server
    takes none, and a call that has one is an error."""
    sampling: bool | tuple[Literal["temperature", "top_p"], ...] = True
    """Which of `temperature` and `top_p` are sent: all, none (`false`), or those listed."""
    headers: dict[str, str] = {}
    """Headers of every request; `$NAME` in a value stands for a variable of the environment, where keys belong."""
    query: dict[str, str] = {}
    """What stands behind the `?` of every address; a query of the address itself is kept."""
    stream: Literal[False] = False
    """Said in every request, as some servers stream by default; there is no other value: whole replies are read."""
    timeout: Annotated[float, Field(strict=True, gt=0.0, le=86_400.0)] | None = None
    """Seconds for one attempt of a call, in place of those of `[target]` and `[judges]`."""
    prompt_cache: bool = False
    """Whether the system prompt is marked for the provider's prompt cache (`cache_control` of Anthropic,
    `prompt_cache_key` of OpenAI); answers do not change."""
    batch: Batch = Field(default="none", exclude_if=lambda way: way == "none")
    """How many requests are handed over at once (`--jmed-batch`): `files` as OpenAI does, `messages` as Anthropic,
    `inline` as OpenRouter, `command` for a program on this machine that reads a file and writes one."""
    batch_command: str = Field(default=BATCH_COMMAND, exclude_if=lambda command: command == BATCH_COMMAND)
    """That program with its options, as a shell would split them; `-i FILE -o FILE --model NAME` are added."""
    direct: bool = True
    """False sends every call through the SDK: for a gateway whose headers change from call to call."""

    @field_validator("headers")
    @classmethod
    def _headers_can_be_sent(cls, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING:
                raise ValueError(f"{name!r} is no header that can be set here")
            if not value.isprintable():
                raise ValueError(f"the value of {name!r} holds a line end or another sign that no header may hold")
            if names_a_secret(name) and not VARIABLE.search(value):
                raise ValueError(f'{name!r} is a key: keep it in the environment and write {name} = "$VARIABLE"')
        return given

    def takes(self, parameter: str) -> bool:
        """Tell whether a parameter of sampling is sent."""
        return self.sampling if isinstance(self.sampling, bool) else parameter in self.sampling

    @cached_property
    def peculiar(self) -> dict[str, Any]:
        """What may change an answer and differs from the default; values of the environment are no part of it."""
        silent = {"structured", "max_tokens_field", "prompt_cache", "direct", "timeout", "batch", "batch_command"}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=silent)


class ProviderTable(Dialect):
    """``[providers.NAME]``: a server the shipped table does not know, or settings for a plugin's provider."""

    kind: Literal["openai", "anthropic", "plugin"] = "openai"
    """What the server speaks; `plugin` where an installed distribution brings the provider NAME."""
    base_url: str | None = None
    """Its address; another one can be given with the model."""
    api_key_env: str | None = None
    """The environment variable with its key; without one no key is sent."""
    cloud: Literal["azure", "bedrock", "vertex", "foundry"] | None = None
    """The cloud whose paths and credentials it has, for a resource or a gateway of your own."""


Dollars = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]


class Price(Table):
    """US dollars for a million tokens."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    """Tokens of the input that the provider reads from its prompt cache; without it the price of the input."""
    cache_write: Dollars | None = None
    """Tokens of the input that it writes there; without it a quarter more than the input."""

    def cost(self, usage: Usage) -> float:
        """Return US dollars for tokens; what was not counted costs nothing here."""
        read, written = usage.cached or 0, usage.cache_write or 0
        plain = max(0, (usage.input or 0) - read - written)
        for_read = self.input if self.cached is None else self.cached
        for_written = 1.25 * self.input if self.cache_write is None else self.cache_write
        return (plain * self.input + read * for_read + written * for_written + (usage.output or 0) * self.output) / 1e6


class QuotaTable(Table):
    """``[limits."provider:name"]``: what the endpoint allows a minute."""

    requests_per_minute: Annotated[int, Field(strict=True, ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(strict=True, ge=1)] | None = None


class Servers(Table):
    """The tables about servers, at the end of a file."""

    providers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], ProviderTable] = {}
    prices: dict[str, Price] = {}
    limits: dict[str, QuotaTable] = {}
