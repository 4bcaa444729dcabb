"""What the engine of a run is made of, opened inside its loop: clients, judges, target, and what comes before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.core.plan import Job, plan_key
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import Golden, RunInfo
from jmedethic_pytest.core.spans import Span
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.rescoring import Rescorer
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.opening import Clients, tell_apart
from jmedethic_pytest.run import calling, companions, evidence, identity, preflight, traced
from jmedethic_pytest.run.preflight import Once, Step
from jmedethic_pytest.run.release import Door
from jmedethic_pytest.run.spec import RunSpec

if TYPE_CHECKING:
    from jmedethic_pytest.run.waves import Waves

Evaluate = Callable[[Job], Awaitable[Verdict]]


class Opening:
    """Opens the engine of a run, and keeps what its record says of the calls.

    Args:
        spec: the run.
        target: its target, under the mark of the replies it may be answered with.
        info: what the run is, as it was recorded when it started.
        path: its folder.
        door: what leaves the engine passes it.
        span: the run in a trace.
        budget: shared by all clients, if there is one.
        wanted: returns the evaluations that were planned.
        learn: told what is seen of judges and target, as fields of the run's record.
    """

    def __init__(
        self,
        spec: RunSpec,
        target: ModelRef,
        info: RunInfo,
        path: Path,
        *,
        door: Door,
        span: Span,
        budget: Budget | None,
        wanted: Callable[[], list[Job]],
        learn: Callable[[dict[str, Any]], None],
    ) -> None:
        self._spec = spec
        self._target = target
        self._replayed = info.replies_of not in ("", info.id)
        self._path = path
        self._door = door
        self._span = span
        self._budget = budget
        self._wanted = wanted
        self._learn = learn
        self._cache = spec.settings.reports / caching.FILE
        self._opened: Clients | None = None
        self.clients: list[Client] = []
        """Of all models that are called; the target first, if it is one of them."""
        self.beside: companions.Beside | None = None
        """Evaluates what was asked for beside every conversation."""
        self.waves: Waves | None = None
        """Sends what can be asked at once in batches, if it was asked for."""
        self.first = Once()
        """What is over before the first evaluation."""

    @property
    def notes(self) -> list[str]:
        """What had to be done with the cache, in words."""
        return self._opened.notes if self._opened is not None else []

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Evaluate]:
        """Open everything inside the loop; give what evaluates a job."""
        spec, settings, rules = self._spec, self._spec.settings, self._spec.thresholds
        async with Clients(settings.cache, rules.limits, self._budget, shared=settings.shared) as clients:
            self._opened = clients
            judges = calling.judges(spec, clients, self._cache)
            self.clients += judges
            panel = Panel(judges[: len(spec.judges)], rules.judges, spec.cases.vocabulary, *judges[len(spec.judges) :])
            conversing = self._rescoring if spec.transcripts is not None else self._conversing
            async with conversing(clients, panel, judges) as evaluate:
                yield evaluate

    @asynccontextmanager
    async def _rescoring(self, clients: Clients, panel: Panel, judges: Sequence[Client]) -> AsyncIterator[Evaluate]:
        """Give what scores the replies of a finished run."""
        spec = self._spec
        assert spec.transcripts is not None
        rescorer = Rescorer(spec.transcripts.read, panel, spec.thresholds, simulated=spec.target.simulated)
        waves = self._in_waves(clients, None, judges)
        async with self._once_proved(
            clients, lambda job: rescorer.evaluate(plan_key(job.case_id, job.repeat)), waves
        ) as evaluate:
            yield evaluate

    @asynccontextmanager
    async def _conversing(self, clients: Clients, panel: Panel, judges: Sequence[Client]) -> AsyncIterator[Evaluate]:
        """Give what holds conversations with the target."""
        spec, settings = self._spec, self._spec.settings
        target = calling.target(spec, clients, self._cache, self._target)
        attacker = calling.attacker(spec, clients, self._cache)
        self.clients = [target, *self.clients, *([] if attacker is None else [attacker.client])]
        engine = Engine(target, panel, spec.thresholds, settings.selection.turns, attacker)
        if settings.perturb:
            self.beside = companions.Beside(spec, engine, self._door, self._path)
        waves = self._in_waves(clients, target, judges)
        async with (
            self._looking_at(target, clients) as looked,
            self._once_proved(clients, lambda job: engine.evaluate(job.case, job.repeat), looked, waves) as evaluate,
        ):
            yield evaluate

    @asynccontextmanager
    async def _once_proved(self, clients: Clients, evaluate: Evaluate, *more: Step) -> AsyncIterator[Evaluate]:
        """Give the engine only once the judges have proved themselves, and what else comes before the target."""
        first = self.first = Once(*traced.steps(self._span, lambda: self._prove(clients), *more))

        async def then(job: Job) -> Verdict:
            await first.over()
            return await traced.conversation(self._span, job, evaluate(job))

        try:
            yield self._door.guard(then)
        finally:
            await first.aclose()

    def _in_waves(self, clients: Clients, target: Client | None, judges: Sequence[Client]) -> Step:
        """Return what fills the cache with batches, if they were asked for."""
        cache = clients.cache(self._cache)
        if not self._spec.settings.batch or cache is None:
            return preflight.nothing
        from jmedethic_pytest.run.waves import Waves  # needs the SDKs' transports

        self.waves = Waves(self._spec, cache, target, judges, self._wanted)
        return self.waves.fill

    async def _prove(self, clients: Clients) -> None:
        spec, settings = self._spec, self._spec.settings
        if settings.no_golden or not spec.judges:
            self._note_golden(())
            return
        most, beside = settings.calls or settings.concurrency, len(spec.all_judges)
        opened = [clients.open("golden", judge, self._cache, ceiling=most, beside=beside) for judge in spec.all_judges]
        tell_apart(opened)
        self.clients += opened
        await preflight.proved(Panel(opened, spec.thresholds.judges), preflight.languages(spec), self._note_golden)

    def _note_golden(self, found: tuple[Golden, ...]) -> None:
        self._learn({"golden": found})

    @asynccontextmanager
    async def _looking_at(self, target: Client, clients: Clients) -> AsyncIterator[Step]:
        """Record what can be seen of the target's weights; give what comes first where kept replies may be used."""
        settings, rules = self._spec.settings, self._spec.thresholds
        if target.ref.simulated or settings.cache == "only":
            yield preflight.nothing
            return
        probe = None
        if identity.is_looked_at(target.ref, settings, rules, self._spec.serving):
            probe = clients.open("probe", target.ref, self._cache, ceiling=1)
            self.clients.append(probe)
        cache = clients.cache(self._cache) if settings.cache in ("use", "refresh") else None

        async def look() -> None:
            self._learn({"identity": await evidence.examine(target, probe, cache, rules.target.extra)})

        if probe is not None or self._replayed:
            yield look
            return
        async with evidence.meanwhile(evidence.examine(target, probe, cache, rules.target.extra)) as seen:
            yield preflight.nothing
        for found in seen:
            self._learn({"identity": found})
