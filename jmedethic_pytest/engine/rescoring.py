"""A stored conversation scored again: its replies are those that the target gave then, and it is asked nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Turn, Verdict
from jmedethic_pytest.engine.history import standing
from jmedethic_pytest.judging import verdict as verdicts
from jmedethic_pytest.judging.panel import Judged, Panel


class Rescorer:
    """Scores stored conversations; any number at the same time.

    It has no target: floors that are broken cannot be confirmed, and what the target did not answer stays unanswered.

    Args:
        read: returns a stored verdict by its key.
        panel: the judges.
        thresholds: floors, and whose replies stood in the history.
        simulated: whether the target was a simulation.
    """

    def __init__(
        self, read: Callable[[str], Verdict], panel: Panel, thresholds: Thresholds, *, simulated: bool
    ) -> None:
        self._read = read
        self._panel = panel
        self._thresholds = thresholds
        self._simulated = simulated or panel.simulated

    async def evaluate(self, key: str) -> Verdict:
        """Return the verdict of these judges on a conversation.

        Raises:
            StoreError: if it cannot be read.
            RunAborted: if an endpoint is dead.
        """
        begun = time.monotonic()
        stored = self._read(key)
        turns = await self._scored(stored)
        seconds = time.monotonic() - begun
        return verdicts.conclude(
            stored.case,
            stored.repeat,
            turns,
            stored.planned_turns,
            self._thresholds,
            branch=stored.branch,
            simulated=self._simulated,
            seconds=seconds,
        )

    async def _scored(self, stored: Verdict) -> tuple[Turn, ...]:
        """Return the turns with the panel's scores; all turns are scored at once."""
        try:
            async with asyncio.TaskGroup() as group:
                panels = [group.create_task(self._judged(stored, turn)) for turn in stored.turns]
        except ExceptionGroup as found:
            raise found.exceptions[0] from None
        return tuple(
            turn.model_copy(update=judged._asdict())
            for turn, judged in zip(stored.turns, (panel.result() for panel in panels), strict=True)
        )

    async def _judged(self, stored: Verdict, turn: Turn) -> Judged:
        if turn.reply.status != "ok":
            return Judged((), None, None)
        said = branches.along(stored.case, stored.branch)
        earlier = [before.reply for before in stored.turns[: turn.index]]
        texts = [*standing(said, earlier, self._thresholds.target.history), turn.reply.text]
        return await self._panel.judge(said, texts, turn.index, stored.repeat)
