"""What every script needs: the request taken apart, and draws that depend on it alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from jmedethic_pytest.models import Message

T = TypeVar("T")


class Task(NamedTuple):
    """One request to a scripted model."""

    model: str
    """Its name, ``generator-a``."""
    messages: tuple[Message, ...]
    values: Mapping[str, str]
    """The values of the label."""
    repeat: int

    @property
    def locale(self) -> str:
        """The language asked for, ``ja`` if the label does not say."""
        return self.values.get("locale", "ja")

    def fraction(self, *parts: object) -> float:
        """Return a number in [0, 1) that depends on the model, the repetition, the last message and the parts alone."""
        texts = [self.model, str(self.repeat), self.messages[-1].content, *map(str, parts)]
        return int.from_bytes(hashlib.sha256("\x1f".join(texts).encode()).digest()[:8]) / 2**64

    def choose(self, options: Sequence[T], *parts: object) -> T:
        """Return one of the options, by :meth:`fraction`."""
        return options[int(self.fraction(*parts) * len(options))]


def label(task: str, **given: object) -> str:
    """Return the label of a request: the task and its values, none of which may hold a space."""
    return " ".join([task, *(f"{key}={value}" for key, value in given.items())])


def values(text: str) -> tuple[str, dict[str, str]]:
    """Return the task and the values of a label."""
    task, *rest = text.split()
    return task, dict(part.split("=", 1) for part in rest)
