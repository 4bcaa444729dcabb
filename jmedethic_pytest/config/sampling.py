"""What a call asks of a model: sampling, limits, and parameters of a vendor."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, field_validator

from jmedethic_pytest.config.servers import Table

_ELSEWHERE = "has a key of its own in this table"
_OTHER_MODEL = "would let another model answer under this name: name the model in --model or in the judges' profile"
_OTHER_QUESTION = "is what the benchmark asks, and not to be changed"
_OTHER_ANSWER = "changes the form of the answer, of which one whole reply is read"
RESERVED = {
    **dict.fromkeys(("temperature", "top_p", "max_tokens", "max_completion_tokens", "system", "timeout"), _ELSEWHERE),
    **dict.fromkeys(("model", "models", "route", "preset", "fallbacks", "deployment_id", "engine"), _OTHER_MODEL),
    **dict.fromkeys(("messages", "input", "prompt", "transforms", "tools", "functions"), _OTHER_QUESTION),
    **dict.fromkeys(("n", "best_of", "stream", "stream_options", "response_format", "output_config"), _OTHER_ANSWER),
}
"""Names that ``extra`` must not hold, and why."""


def vendor_parameters(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse parameters that decide which model is asked, what, and how it answers.

    Raises:
        ValueError: naming each of them, and why; or what cannot be sent.
    """
    reserved = {name: RESERVED[name.strip().lower()] for name in given if name.strip().lower() in RESERVED}
    if reserved:
        raise ValueError("; ".join(f"{name!r} {reason}" for name, reason in reserved.items()))
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("dates, nan and inf cannot be sent as JSON: write a number, or a text in quotes") from None
    return given


class Sampling(Table):
    """What a call asks of a model; ``None`` is not sent."""

    temperature: Annotated[float, Field(strict=True, ge=0.0, le=2.0)] | None = 0.0
    top_p: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] | None = None
    max_tokens: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] = 2048
    timeout: Annotated[float, Field(strict=True, gt=0.0, le=86_400.0)] = 300.0
    """Seconds for one attempt of a call; no part of the cache key."""
    patience: Annotated[float, Field(strict=True, gt=0.0, le=86_400.0)] = 600.0
    """Seconds without an answer to any call, after which the endpoint, and the run, are given up."""
    max_reply_bytes: Annotated[int, Field(strict=True, ge=1_000, le=1_000_000_000)] = 2_000_000
    """Bytes of an answer, decompressed, beyond which it is not read."""
    extra: dict[str, Any] = {}
    """Vendor parameters, sent as they are; not those that decide which model is asked, what, and how it answers."""

    @field_validator("extra")
    @classmethod
    def _nothing_that_is_decided_elsewhere(cls, given: dict[str, Any]) -> dict[str, Any]:
        return vendor_parameters(given)
