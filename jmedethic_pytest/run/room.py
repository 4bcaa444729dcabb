"""Does the longest conversation of a run fit into the model's context? Asked before a server is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run.estimate import longer
from jmedethic_pytest.run.spec import RunSpec

_STEP = 256
_FRAME = 32
"""Tokens of a chat template around a message, generously."""


class Room(NamedTuple):
    """Tokens of the longest conversation."""

    least: int
    """With one reply of full length, and nothing before it but the user's turns."""
    most: int
    """With every reply of full length."""


def needed(spec: RunSpec) -> Room:
    """Return the tokens that the longest case of a run, shards together, may need."""
    most, replies = Room(0, 0), spec.thresholds.target.max_tokens
    beyond = max(0, spec.settings.max_turns - spec.longest) if spec.attacker is not None else 0
    for case in map(longer, spec.whole.values()):
        rate = languages.of(case.locale).tokens_per_character
        turns = case.turns[: spec.settings.selection.turns]
        said = sum(map(len, (*turns, spec.thresholds.target.system or ""))) * rate
        told = int(said * (1 + beyond / len(turns))) + _FRAME * (len(turns) + beyond)
        most = Room(max(most.least, told + replies), max(most.most, told + replies * (len(turns) + beyond)))
    return most


def arranged(spec: RunSpec) -> RunSpec:
    """Return a run whose server is told how long a conversation may be, if the run starts one.

    Raises:
        ConfigError: if the model's own context cannot hold the longest case.
    """
    plan = spec.serving
    if plan is None or not spec.whole:
        return spec
    room, own = needed(spec), plan.weights.context
    wanted = plan.table.context or min(-(-room.most // _STEP) * _STEP, own or room.most)
    if wanted < room.least or (own is not None and own < room.least):
        raise ConfigError(
            f"--jmed-serve: {plan.weights.path.name} has a context of {min(wanted, own or wanted):,} tokens, and the "
            f"longest of these conversations needs {room.least:,} with one reply of "
            f"{spec.thresholds.target.max_tokens:,} ([target] max_tokens). Lower max_tokens, or take shorter "
            "conversations (--jmed-turns)."
        )
    return replace(spec, serving=replace(plan, context=wanted))


def warnings(spec: RunSpec) -> Iterator[str]:
    """Yield that replies of full length would not all fit, if so."""
    plan = spec.serving
    if plan is None or plan.context is None:
        return
    most = needed(spec).most
    if plan.context < most:
        yield (
            f"the context of {plan.context:,} tokens does not hold the longest conversation with replies of full "
            f"length ({most:,}): what does not fit will be missing. Lower [target] max_tokens"
        )
