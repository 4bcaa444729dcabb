"""The order of a lifelong search: which state of the library a question is searched with, whatever finishes first.

Questions are searched in blocks. All of a block see the library as the blocks before it left it, so that the result
does not depend on which question happens to finish first, nor on where a search was interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jmedethic_pytest.generation.discovery.attempts import Crew
from jmedethic_pytest.generation.discovery.library import Collection, Phase, Strategy
from jmedethic_pytest.generation.discovery.searches import Search
from jmedethic_pytest.generation.discovery.turbo_search import Rules, lifelong, warm_up
from jmedethic_pytest.generation.machinery.records import Made, Question


class Step(NamedTuple):
    """One question in one pass."""

    place: int
    """In the order of all steps."""
    phase: Phase
    number: int
    """Of the pass within its phase, from 0."""
    question: Question
    block: int
    """Place of the first step that sees the same library."""
    first_repeat: int
    """Index of its first round among all rounds for the question."""

    @property
    def key(self) -> str:
        """Name of the step, unique within the stage."""
        return f"{self.phase}-{self.number}/{self.question.id}"


def steps(questions: Sequence[Question], *, warm_ups: int, lifelongs: int, block: int, epochs: int) -> list[Step]:
    """Return every step in its order; a block never reaches into the next pass."""
    found: list[Step] = []
    passes: list[tuple[Phase, int]] = [("warm-up", number) for number in range(warm_ups)]
    passes += [("lifelong", number) for number in range(lifelongs)]
    for before, (phase, number) in enumerate(passes):
        start = len(found)
        for offset, question in enumerate(questions):
            first = start + offset - offset % block
            found.append(Step(start + offset, phase, number, question, first, before * epochs))
    return found


class Passes:
    """Runs steps that may be started in any order within their block.

    Args:
        crew: the models.
        order: every step.
        rules: when a search for a question ends.
        done: findings of an earlier, interrupted run by key.
        limit: see :class:`~jmedethic_pytest.generation.discovery.library.Collection`.
    """

    def __init__(
        self, crew: Crew, order: Sequence[Step], rules: Rules, done: Mapping[str, tuple[Strategy, ...]], limit: float
    ) -> None:
        self._crew = crew
        self._rules = rules
        self._results: list[tuple[Strategy, ...] | None] = [done.get(step.key) for step in order]
        self._collected = Collection(limit=limit)
        self._folded = 0
        self._snapshot: tuple[Strategy, ...] = ()
        self._changed = asyncio.Condition()

    async def work(self, step: Step) -> Made[Search]:
        """Search with one question, after everything it builds on is known."""
        known = await self._library(step.block)
        method = warm_up if step.phase == "warm-up" else lifelong
        made = await method(self._crew, step.question, known, self._rules, key=step.key, first_repeat=step.first_repeat)
        async with self._changed:
            self._results[step.place] = made.records[0].findings
            self._changed.notify_all()
        return made

    async def _library(self, first: int) -> tuple[Strategy, ...]:
        """Return the library after all steps before a block."""
        async with self._changed:
            await self._changed.wait_for(lambda: all(found is not None for found in self._results[:first]))
            # No later block can have been added: it would have to wait for this one.
            if self._folded < first:
                for found in self._results[self._folded : first]:
                    for strategy in found or ():
                        self._collected.add(strategy)
                self._folded = first
                self._snapshot = self._collected.strategies
            return self._snapshot
