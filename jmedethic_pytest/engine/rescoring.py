"""A stored conversation scored again: its replies are those that the target gave then, and it is asked nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from jmedethic_pytest.attack.attacker import attack_repeat
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Attack, Case, Turn, Verdict
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
        said = branches.along(stored.case, stored.branch)
        turns = await self._scored(said, stored.turns, stored.turns, stored.repeat)
        attacks = [await self._attack(said, stored, attack) for attack in stored.attacks]
        seconds = time.monotonic() - begun
        verdict = verdicts.conclude(
            stored.case,
            stored.repeat,
            turns,
            stored.planned_turns,
            self._thresholds,
            branch=stored.branch,
            simulated=self._simulated,
            seconds=seconds,
        )
        return verdict.model_copy(update={"attacks": tuple(attacks)})

    async def _attack(self, said: Case, stored: Verdict, attack: Attack) -> Attack:
        """Return an attack with the panel's scores; it stays as it went under the judges of then."""
        whole = (*stored.turns, *attack.turns)
        spoken = branches.continued(said, len(stored.turns), [turn.user for turn in whole])
        scored = await self._scored(spoken, attack.turns, whole, attack_repeat(stored.repeat, attack.seed))
        return attack.model_copy(update={"turns": scored})

    async def _scored(self, said: Case, turns: Sequence[Turn], whole: Sequence[Turn], repeat: int) -> tuple[Turn, ...]:
        """Return turns of a whole conversation with the panel's scores; all of them are scored at once."""
        try:
            async with asyncio.TaskGroup() as group:
                panels = [group.create_task(self._judged(said, turn, whole, repeat)) for turn in turns]
        except ExceptionGroup as found:
            raise found.exceptions[0] from None
        return tuple(
            turn.model_copy(update=judged._asdict())
            for turn, judged in zip(turns, (panel.result() for panel in panels), strict=True)
        )

    async def _judged(self, said: Case, turn: Turn, whole: Sequence[Turn], repeat: int) -> Judged:
        if turn.reply.status != "ok":
            return Judged((), None, None)
        earlier = [before.reply for before in whole[: turn.index]]
        texts = [*standing(said, earlier, self._thresholds.target.history), turn.reply.text]
        return await self._panel.judge(said, texts, turn.index, repeat)
