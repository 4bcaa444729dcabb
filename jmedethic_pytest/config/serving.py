"""``[serve]``: how a checkpoint is served for a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from jmedethic_pytest.config.servers import Table

Word = Annotated[str, Field(min_length=1, max_length=1000)]


class ServeTable(Table):
    """``[serve]``: the server that `--jmed-serve` starts. Only used with it."""

    command: tuple[Word, ...] = ()
    """A server of your own, one word an argument; `{path}`, `{name}`, `{port}` and `{context}` stand for the
    checkpoint, the name the model is asked for by, the port on 127.0.0.1, and the tokens of one conversation. It must
    speak OpenAI's chat completions below `/v1` and stay in the foreground."""
    health: Annotated[str, Field(pattern=r"^/\S*$")] = "/health"
    """Where a server of your own answers 200 once it is ready."""
    flags: tuple[Word, ...] = ()
    """More arguments of the server, as `["--gpu-memory-utilization", "0.8"]`. They are recorded: no place for keys."""
    context: Annotated[int, Field(strict=True, ge=64, le=100_000_000)] | None = None
    """Tokens of one conversation; by default what the longest case may need, and at most what the model has."""
    parallel: Annotated[int, Field(strict=True, ge=1, le=512)] = 4
    """Conversations that llama.cpp decodes at the same time; each takes memory for `context` tokens."""
    ready_seconds: Annotated[float, Field(strict=True, gt=0.0, le=86_400.0)] = 900.0
    """Seconds until the server must be ready."""
    stop_seconds: Annotated[float, Field(strict=True, gt=0.0, le=600.0)] = 10.0
    """Seconds it is given to end by itself, before it is killed."""

    @field_validator("command")
    @classmethod
    def _has_a_port(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if given and not any("{port}" in word for word in given):
            raise ValueError("no word holds {port}: the server must listen where the run will ask")
        return given
