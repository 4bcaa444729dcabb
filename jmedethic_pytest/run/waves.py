"""A run's requests in waves: what can be asked now goes out in batches, and their answers open the next wave.

Three waves for a target and three turns, then one for each judge; where a branch, a third judge or a repetition hangs
on scores, one more. Everything ends in the response cache, where the evaluation that follows finds it. So nothing here
knows how a request is made: conversations are walked as the engine walks them, and stop where the cache does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.core.plan import Job, plan_key
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.gathering import Gatherer, Taker, walk
from jmedethic_pytest.engine.rescoring import Rescorer
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models.batches.journal import Journal
from jmedethic_pytest.models.batches.opening import open_interface
from jmedethic_pytest.models.batches.sender import Sender
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.transport import Transport
from jmedethic_pytest.run.spec import RunSpec

FOLDER = "batches"
"""Under the reports."""
_WORTH_A_WAVE = 50
"""Nobody waits a day for less than one request in so many evaluations: those are called singly."""


class Waves:
    """Fills the cache of a run.

    Args:
        spec: the run.
        cache: where replies are kept.
        target: the model under test, ``None`` where its replies are there already.
        judges: the panel, then the third.
        planned: returns the evaluations that are wanted.
    """

    def __init__(
        self,
        spec: RunSpec,
        cache: Cache,
        target: Client | None,
        judges: Sequence[Client],
        planned: Callable[[], Iterable[Job]],
    ) -> None:
        self._spec = spec
        self._cache = cache
        self._target = target
        self._judges = judges
        self._planned = planned
        self._senders: list[Sender] = []
        self._wave = 0

    @property
    def line(self) -> str:
        """Where it stands, in a few words; empty while nothing is handed over."""
        parts = [f"{sender.name} {done:,} of {lines:,}" for sender in self._senders for done, lines in sender.in_work]
        return f"batches, wave {self._wave}: {'; '.join(parts)}" if parts else ""

    def remarks(self) -> Iterator[str]:
        """Yield what came in batches, and what was left to single calls and why."""
        for sender in self._senders:
            left = sender.reasons.total()
            if not sender.answered and not left:
                continue
            why = ", ".join(f"{reason}: {count:,}" for reason, count in sender.reasons.most_common())
            single = f", {left:,} left to single calls ({why})" if left else ""
            yield f"{sender.name}: {sender.answered:,} answers came in batches{single}"

    async def fill(self) -> None:
        """Have everything answered that batches can answer.

        Raises:
            RunAborted: if that cannot go on; what was begun is noted, and the next call goes on with it.
            StoreError: if it cannot be noted, or another process is at it.
        """
        journal = Journal(self._spec.settings.reports / FOLDER)
        with journal.locked():
            ways = {id(client): self._way(client, journal) for client in (self._target, *self._judges) if client}
            if self._target is not None:
                while await self._round(self._engine(ways, judged=False)):
                    pass
            while await self._round(self._engine(ways, judged=True)):
                pass

    def _way(self, client: Client, journal: Journal) -> Taker:
        """Return who takes the requests of a client: a sender, or itself where nothing is handed over."""
        provider = client.provider
        interface = open_interface(client.ref, provider, journal.folder)
        if interface is None or not isinstance(provider, Transport):
            return lambda _, request: client.chat(request)
        self._senders.append(Sender(client, provider, interface, journal))
        return self._senders[-1].take

    def _engine(self, ways: dict[int, Taker], *, judged: bool) -> Callable[[Job], Awaitable[Any]]:
        """Return what walks along a conversation; a judge whose answer cannot be read is not asked again here."""
        spec = self._spec
        judges = [Gatherer(judge, self._cache, ways[id(judge)]) for judge in self._judges if judged]
        table = spec.thresholds.judges.model_copy(update={"attempts": 1})
        count = len(spec.judges)
        panel = Panel(judges[:count], table, spec.cases.vocabulary, *judges[count:])
        if spec.transcripts is not None:
            rescorer = Rescorer(spec.transcripts.read, panel, spec.thresholds, simulated=False)
            return lambda job: rescorer.evaluate(plan_key(job.case_id, job.repeat))
        assert self._target is not None
        target = Gatherer(self._target, self._cache, ways[id(self._target)])
        engine = Engine(target, panel, spec.thresholds, spec.settings.selection.turns)
        return lambda job: engine.evaluate(job.case, job.repeat)

    async def _round(self, evaluate: Callable[[Job], Awaitable[Any]]) -> bool:
        """Send what can be asked now and wait for it; return whether anything was sent."""
        jobs = list(self._planned())
        await walk(jobs, evaluate, self._spec.settings.concurrency)
        waiting = [sender for sender in self._senders if await sender.close(len(jobs) // _WORTH_A_WAVE)]
        if waiting:
            self._wave += 1
            try:
                async with asyncio.TaskGroup() as group:
                    for sender in waiting:
                        group.create_task(sender.settle())
            except ExceptionGroup as found:
                raise found.exceptions[0] from None
        if not self._cache.usable:
            raise RunAborted(f"batches: {self._cache.note}: answers cannot be kept.")
        return bool(waiting)
