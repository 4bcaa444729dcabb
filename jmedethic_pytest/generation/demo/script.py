"""What every script needs: the request taken apart, and draws that depend on it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from jmedethic_pytest.demo.draw import fraction
from jmedethic_pytest.models import Message

T = TypeVar("T")


class Task(NamedTuple):
    """One request to a scripted model."""

    model: str
    """Its name, ``generator-a``."""
    messages: tuple[Message, ...]
    values: Mapping[str, Any]
    """What the request asks for."""
    repeat: int

    @property
    def locale(self) -> str:
        """The language asked for, ``ja`` if the task does not say."""
        return str(self.values.get("locale", "ja"))

    def fraction(self, *parts: object) -> float:
        """Return a number in [0, 1) that depends on the model, the repetition, the last message and the parts alone."""
        return fraction(self.model, str(self.repeat), self.messages[-1].content, *map(str, parts))

    def choose(self, options: Sequence[T], *parts: object) -> T:
        """Return one of the options, by :meth:`fraction`."""
        return options[int(self.fraction(*parts) * len(options))]


def task(name: str, **given: object) -> dict[str, object]:
    """Return the context of a request to a scripted model: its task, and the values of that."""
    return {"task": name, **given}
