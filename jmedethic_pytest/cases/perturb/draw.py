"""Seeded chance for rewriters: the same seed gives the same text, on every version of Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A row of random numbers that depends on its seed alone.

    Only ``random()`` is used of Python's generator: its numbers are promised to stay the same.

    Args:
        seed: any texts and numbers.
    """

    def __init__(self, *seed: object) -> None:
        self._random = random.Random("\x1f".join(map(str, seed)))  # noqa: S311 - not for secrets

    def chance(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()

    def below(self, count: int) -> int:
        """Return a whole number from 0 to ``count - 1``."""
        return int(self.chance() * count)

    def one(self, items: Sequence[T]) -> T:
        """Return one of some items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Return so many different items, or all there are, in their order."""
        ranked = sorted(range(len(items)), key=lambda _: self.chance())
        return [items[index] for index in sorted(ranked[:count])]
