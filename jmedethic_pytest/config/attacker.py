"""``[attacker]``: how the model is called that goes on where the written turns end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jmedethic_pytest.config.sampling import Sampling

Style = Literal["crescendo", "rephrase"]
"""``crescendo``: small steps, each on what the model itself said last (Russinovich et al. 2024, arXiv 2404.01833);
``rephrase``: what was refused is said again in another way."""


class AttackerTable(Sampling):
    """``[attacker]``: the model that goes on after the written turns (`--jmed-attacker`)."""

    temperature: Annotated[float, Field(strict=True, ge=0.0, le=2.0)] | None = 1.0
    max_tokens: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] = 1024
    seeds: Annotated[int, Field(strict=True, ge=1, le=9)] = 3
    """Attacks on each conversation; each takes another line of the prompt ..."""
    send_seed: bool = True
    """... and is sent as `seed`, where the server speaks OpenAI's protocol; false if it refuses that."""
    calls: Annotated[int, Field(strict=True, ge=1, le=99)] = 8
    """Answers asked of the attacker for each seed, at most: one of another form is asked for again."""
