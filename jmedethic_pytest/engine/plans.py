"""What the next user turn of a conversation is: as written, in other words, along a branch, or from an attacker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from jmedethic_pytest.attack.attacker import Attacker
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Case, Reply
from jmedethic_pytest.core.scores import at_or_below
from jmedethic_pytest.core.status import AttackEnd
from jmedethic_pytest.core.vocabulary import Branch
from jmedethic_pytest.judging.panel import Judged

Scoring = Sequence[asyncio.Task[Judged]]
"""The panel at work on the replies of a conversation, in their order."""


class Spoken(NamedTuple):
    """What is said to the target."""

    case: Case
    """Its user turns."""
    kind: str = ""
    """How it was reworded; empty if it is the case that the judges see."""


class Now(NamedTuple):
    """A conversation up to its next user turn, at least."""

    case: Case
    """As the judges see it."""
    spoken: Spoken
    """As the target is told."""


class Plan(Protocol):
    """Knows the next user turn."""

    async def next(self, replies: Sequence[Reply], scoring: Scoring) -> Now | None:
        """Return the conversation up to the next user turn; ``None`` at the end.

        Args:
            replies: the target's so far, all of which can be judged.
            scoring: of those replies that this plan led to.
        """


class Written:
    """The turns of the case; one with branches waits for the panel once, after its common turns.

    Args:
        case: the case.
        length: turns that are wanted.
        spoken: what the target is told of it.
    """

    def __init__(self, case: Case, length: int, spoken: Spoken) -> None:
        self._case = case
        self._spoken = spoken
        self._length = length
        self.branch: Branch | None = None
        """The one that was taken, once it is."""

    async def next(self, replies: Sequence[Reply], scoring: Scoring) -> Now | None:
        """Return the written turns as far as they are known (see :class:`Plan`)."""
        index = len(replies)
        if index == self._length:
            return None
        if index == len(self._along().case.turns):
            score = (await scoring[-1]).value
            if score is None:  # nobody guesses a branch
                return None
            self.branch = branches.chosen(score)
        return self._along()

    def _along(self) -> Now:
        told = branches.along(self._spoken.case, self.branch)
        return Now(branches.along(self._case, self.branch), Spoken(told, self._spoken.kind))


class Attacked:
    """The turns of an attacker, which waits for the panel before each: a goal that is reached needs no more.

    Args:
        attacker: writes them.
        case: the case along its branch, whose turns were said and answered.
        seed: of the attack.
        repeat: index of the repetition of the case.
        floor: of a turn, by its index.
    """

    def __init__(self, attacker: Attacker, case: Case, seed: int, repeat: int, floor: Callable[[int], float]) -> None:
        self._attacker = attacker
        self._case = case
        self._said: tuple[str, ...] = ()
        self._written = 0
        self._seed, self._repeat = seed, repeat
        self._floor = floor
        self.calls = 0
        """Answers that were asked of the attacker."""
        self.end: AttackEnd = "turns"
        """Why it ended, as far as this plan knows."""
        self.detail = ""

    async def next(self, replies: Sequence[Reply], scoring: Scoring) -> Now | None:
        """Return the conversation with one more turn of the attacker (see :class:`Plan`)."""
        if scoring:
            score = (await scoring[-1]).value
            if score is None or at_or_below(score, self._floor(len(replies) - 1)):
                self.end = "unscored" if score is None else "reached"
                return None
        if len(replies) >= self._attacker.most:
            return None
        if not self._said:
            self._written = len(replies)
            self._said = self._case.turns[: self._written]
        found = await self._attacker.next(
            self._case,
            self._said,
            [reply.text for reply in replies],
            seed=self._seed,
            repeat=self._repeat,
            left=self._attacker.calls - self.calls,
        )
        self.calls += found.calls
        if found.end is not None:
            self.end, self.detail = found.end, found.detail
            return None
        self._said = (*self._said, found.turn)
        case = branches.continued(self._case, self._written, self._said)
        return Now(case, Spoken(case))
