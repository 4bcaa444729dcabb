"""Scripted models for every role: deterministic, offline, free, and simulations wherever their output appears.

A request's label says what is asked for: a task and its values, ``"question guideline=JMA-19 locale=ja"``
(:func:`label` makes it, :func:`values` reads it). Each module of this package answers the tasks of one stage; what it
answers is drawn from texts of our own by a hash of model and request, so that any order and any interruption gives the
same output. The label is no part of the cache key: it must follow from the messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.generation.demo.conversation import TASKS as CONVERSATION_TASKS
from jmedethic_pytest.generation.demo.discovery import TASKS as DISCOVERY_TASKS
from jmedethic_pytest.generation.demo.question import TASKS as QUESTION_TASKS
from jmedethic_pytest.generation.demo.script import Task, label, values
from jmedethic_pytest.models import ChatRequest, ModelRef

__all__ = ["NAMES", "VERSION", "ScriptedProvider", "label", "values"]

VERSION = "generation-1"
"""Raised when the scripts change, so that cached replies of older ones are not taken for theirs."""

_ATTACKERS = ("attacker", "attacker-a", "attacker-b", "attacker-c", "attacker-d")
NAMES: Mapping[str, tuple[str, ...]] = {
    "generators": tuple(f"generator-{letter}" for letter in "abcde"),
    "validators": tuple(f"validator-{letter}" for letter in "abcde"),
    "refusal_judge": ("refusal-judge",),
    "attacker": _ATTACKERS,
    "attackers": _ATTACKERS,
    "target": ("target",),
    "scorer": ("scorer",),
    "summariser": ("summariser",),
    "translator": ("translator",),
    "embedder": (),
}
"""Names behind ``demo:`` by role."""

_TASKS: Mapping[str, Callable[[Task], str]] = {**QUESTION_TASKS, **DISCOVERY_TASKS, **CONVERSATION_TASKS}


class ScriptedProvider:
    """Answers as one of the scripted models."""

    def __init__(self, ref: ModelRef) -> None:
        self._ref = ref

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:  # noqa: ARG002 - nothing to wait for
        """Answer at once (see :class:`jmedethic_pytest.models.base.Provider`)."""
        name, given = values(request.label)
        text = _TASKS[name](Task(self._ref.name, request.messages, given, request.repeat))
        usage = Usage(input=sum(len(message.content) for message in request.messages), output=len(text))
        return Reply(text=text, finish="stop", model=f"{self._ref.label} (simulation)", usage=usage)

    async def models(self) -> dict[str, str | None]:
        """Return the simulation itself; it never ends."""
        return {self._ref.name: None}

    async def aclose(self) -> None:
        """Nothing is open."""
