"""Scripted models for every role: deterministic, offline, free, and simulations wherever their output appears.

A request's context says what is asked for: a task and its values (:func:`task` makes it). Each module of this package
answers the tasks of one stage; what it answers is drawn from texts of our own by a hash of model and request, so that
any order and any interruption gives the same output. The context is no part of the cache key: it must follow from the
messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jmedethic_pytest.core.records import Reply, Usage
from jmedethic_pytest.generation.demo.conversation import TASKS as CONVERSATION_TASKS
from jmedethic_pytest.generation.demo.discovery import TASKS as DISCOVERY_TASKS
from jmedethic_pytest.generation.demo.question import TASKS as QUESTION_TASKS
from jmedethic_pytest.generation.demo.script import Task, task
from jmedethic_pytest.models.base import ChatRequest, ModelRef, Observer, Role

__all__ = ["NAMES", "VERSION", "ScriptedProvider", "task"]

VERSION = "generation-1"
"""Raised when the scripts change, so that cached replies of older ones are not taken for theirs."""

NAMES: Mapping[Role, tuple[str, ...]] = {
    "generator": tuple(f"generator-{letter}" for letter in "abcde"),
    "validator": tuple(f"validator-{letter}" for letter in "abcde"),
    "refusal_judge": ("refusal-judge",),
    "attacker": ("attacker", "attacker-a", "attacker-b", "attacker-c", "attacker-d"),
    "reference": ("target",),
    "scorer": ("scorer",),
    "summariser": ("summariser",),
    "translator": ("translator",),
    "embedder": (),
}
"""Names behind ``demo:`` by role."""

_TASKS: Mapping[str, Callable[[Task], str]] = {**QUESTION_TASKS, **DISCOVERY_TASKS, **CONVERSATION_TASKS}


class ScriptedProvider:
    """Answers as one of the scripted models."""

    base_url = f"simulation:{VERSION}"

    def __init__(self, ref: ModelRef, observe: Observer | None = None) -> None:  # noqa: ARG002 - has no server
        self._ref = ref

    @staticmethod
    def names(role: Role) -> tuple[str, ...]:
        """Return the names behind ``demo:`` in a role."""
        return NAMES[role]

    async def chat(self, request: ChatRequest, *, patient: bool) -> Reply:  # noqa: ARG002 - nothing to wait for
        """Answer at once (see :class:`jmedethic_pytest.models.base.Provider`)."""
        script = _TASKS[request.context["task"]]
        text = script(Task(self._ref.name, request.messages, request.context, request.repeat))
        usage = Usage(input=sum(len(message.content) for message in request.messages), output=len(text))
        return Reply(text=text, finish="stop", model=f"{self._ref.label} (simulation)", usage=usage)

    async def models(self) -> dict[str, str | None]:
        """Return the simulation itself; it never ends."""
        return {self._ref.name: None}

    async def aclose(self) -> None:
        """Nothing is open."""
