"""One run from its start to its outcome: what pytest and the command line have in common.

spec = prepare(settings, root)         # everything that can be wrong is found here, before anything is paid
run = RunningRun(spec)                 # run folder, cache, engine
run.plan(keys); run.verdict(key) ...   # the front end asks for verdicts
outcome = run.finish()                 # statistics, gate, figures: the answer can be told
outcome = run.draw(outcome)            # tables, plots, page
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.plan import Job
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.engine.scheduler import Scheduler
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.registry import load_transports
from jmedethic_pytest.run import (
    baseline_lookup,
    evidence,
    identity,
    looks,
    record,
    served,
    traced,
)
from jmedethic_pytest.run.loading import Loading
from jmedethic_pytest.run.opening import Opening
from jmedethic_pytest.run.progress import Progress, present
from jmedethic_pytest.run.readback import read_back
from jmedethic_pytest.run.release import Door
from jmedethic_pytest.run.remarks import remarks
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome


class RunningRun:
    """A run in progress, from the moment it is made: run folder, engine thread, and the figures collected on the way.

    Args:
        spec: what it is asked to do.
        on_stored: called in the engine's thread with the key of every verdict, once it is stored.

    Raises:
        StoreError: if reports or cache cannot be written.
    """

    def __init__(self, spec: RunSpec, on_stored: Callable[[str], None] | None = None) -> None:
        load_transports(spec.called)
        self.spec = spec
        self._on_stored = on_stored
        settings = spec.settings
        self.jobs = spec.plan()
        """Every evaluation that can be asked for, by key."""
        self._door = Door(spec)
        self._beside_baseline = baseline_lookup.recall(spec)
        self._schedule = looks.schedule(spec)
        self._notes: list[str] = []
        self._budget = budgets.within(settings.budget, spec.thresholds.prices)
        run_id = run_files.new_run_id(spec.target.label)
        self._store = run_files.RunStore(settings.reports, run_id, shared=settings.shared)
        self.path = self._store.path
        """The run's folder."""
        self.spec, self._server = served.start(spec, self._store)
        target, started = self._described()
        if settings.redact and settings.cache != "off":
            self._notes.append(f"the response cache {settings.reports / caching.FILE} holds texts of models")
        self.info: RunInfo = started
        """What the run is, as it was recorded when it started, and what was seen of the target since."""
        self._store.publish(self.info)
        self._span = traced.begun(self.info)
        self._opening = Opening(
            self.spec,
            target,
            self.info,
            self.path,
            door=self._door,
            span=self._span,
            budget=self._budget,
            wanted=lambda: [self.jobs[key] for key in self.planned],
            learn=self._learn,
        )
        self._scheduler = Scheduler(
            self.jobs,
            self._opening.engine,
            self._keep,
            afterwards=self._companions if settings.perturb else None,
            recall=self._store.recall,
            concurrency=settings.concurrency,
            lookahead=settings.lookahead if self._schedule is None else None,
            look=self._take_look,
        )
        self._loading = Loading(reports=settings.report == "full")
        if self._server is not None:
            self._server.watch(self._scheduler.abort)

    def _described(self) -> tuple[ModelRef, RunInfo]:
        """Return the target under the mark of the replies it may be answered with, and the record of the start."""
        spec = self.spec
        started = self._door.info(record.started(spec, self.path.name, record.git_commit()))
        if spec.transcripts is not None:
            return spec.target, started
        target, started = identity.answering(spec.target, started, spec.settings)
        self._notes += identity.stopped_before(started, spec.settings)
        return target, started

    def _learn(self, seen: dict[str, Any]) -> None:
        self.info = self._door.info(self.info.model_copy(update=seen))

    def _take_look(self, done: int) -> str:
        """Look at the run before its end, in a thread; return why the rest need not be evaluated, if so."""
        assert self._schedule is not None
        found = looks.take(self.spec, self._schedule.ends[done], self.path, self.info)
        self.info = self.info.model_copy(update={"looks": found})
        return self.info.stopped_early

    def _keep(self, verdict: Verdict) -> Verdict:
        kept = self._beside_baseline(verdict)
        self._store.append(kept)
        if self._on_stored is not None:
            self._on_stored(kept.key)
        return kept

    async def _companions(self, job: Job) -> None:
        assert self._opening.beside is not None
        await traced.companions(self._span, job, self._opening.beside.evaluate(job))

    # ------------------------------------------------------------------ while it runs

    @property
    def planned(self) -> list[str]:
        """Keys of the evaluations that are wanted, once they are known."""
        return self._scheduler.planned

    @property
    def aborted(self) -> str | None:
        """Why the run was given up, if it was."""
        return self._scheduler.aborted

    @property
    def out_of_budget(self) -> bool:
        """True if it was given up because the budget is spent."""
        return self._scheduler.out_of_budget

    def plan(self, keys: list[str]) -> None:
        """Give the evaluations that are wanted, in order; only the first plan counts.

        With looks the order is theirs, and without all that was selected no look is taken.
        """
        if self._schedule is None or set(keys) != self.jobs.keys():
            self._scheduler.plan(keys)
        else:
            self._scheduler.plan(self._schedule.keys, list(self._schedule.ends))

    def request(self, key: str) -> Future[Verdict]:
        """Ask for the verdict of a planned evaluation."""
        return self._scheduler.request(key)

    def complete(self, key: str) -> Future[Verdict | None]:
        """Ask for a planned evaluation, and only wait for its end."""
        return self._scheduler.complete(key)

    def request_own(self, case: Case) -> Future[Verdict]:
        """Have a case evaluated outside the plan; it is no part of the run's figures."""
        return self._scheduler.evaluate(Job(case.id, {case.id: case}))

    def verdict(self, key: str) -> Verdict:
        """Wait for the verdict of a planned evaluation."""
        return self.request(key).result()

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case outside the plan and wait for its verdict."""
        return self.request_own(case).result()

    def recall(self, key: str) -> Verdict:
        """Read a stored verdict again.

        Raises:
            StoreError: if that is not possible.
        """
        return self._store.recall(key)

    def progress(self) -> Progress:
        """Return where the run stands."""
        waves, clients = self._opening.waves, self._opening.clients
        batches = waves.line if waves is not None else ""
        return present(self._scheduler.counts(), clients, self.spec.thresholds, self._budget, batches)

    # ------------------------------------------------------------------ its end

    @property
    def running(self) -> int:
        """Evaluations in flight."""
        return self._scheduler.counts().running

    def finish_running(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for what is in flight."""
        self._scheduler.finish_running(seconds)

    def finish_companions(self) -> None:
        """Begin nothing more, and wait for the companions of what was evaluated, if there are any."""
        if self.spec.settings.perturb:
            self._scheduler.finish_running(None)

    def stop(self) -> None:
        """Stop the engine; cases that the budget did not reach are stored as missing. May be called again."""
        self._loading.over()
        stopped = self._scheduler.stop()
        if self._server is not None:
            self._server.stop()
        if stopped and self.out_of_budget:
            for key in self._scheduler.unfinished():
                self._keep(self.jobs[key].unevaluated(self.spec.settings.selection.turns, self.aborted or ""))

    def discard(self) -> None:
        """Stop the engine and remove the folder of a run that nobody ever asked anything of."""
        self.stop()
        self._span.end()
        self._store.discard()

    def finish(self, *, interrupted: str | None = None) -> Outcome:
        """Stop the engine, compute statistics and gate, write the last files.

        Args:
            interrupted: why the front end stopped early, if it did.

        Raises:
            StoreError: if the results cannot be written.
        """
        from jmedethic_pytest.gate.outcome import Evaluated

        self.stop()
        trouble = self.aborted or interrupted
        if trouble and self.info.looks is not None:  # whoever broke it off did not let it end there
            self.info = self.info.model_copy(update={"looks": self.info.looks.model_copy(update={"stopped": None})})
        evaluated = Evaluated(self.spec.thresholds, self.spec.cases.vocabulary, compared=bool(self.spec.baselines))
        digest, strayed = read_back(self.path, set(self.planned), evaluated)
        self.info = self.info.model_copy(update={"digests": {**self.info.digests, "transcripts": digest}})
        self._notes += strayed
        left = () if self.info.stopped_early else self.planned
        turns = self.spec.settings.selection.turns
        unevaluated = [self.jobs[key].unevaluated(turns) for key in left if key not in evaluated.table]
        for empty in unevaluated:
            evaluated.add_unevaluated(empty)
        outcome = evaluated.outcome(
            self.path,
            self._final_info(trouble, complete=not (unevaluated or trouble or self.info.stopped_early)),
            baselines=self.spec.baselines,
            case_turns=self.spec.longest,
            trouble=trouble,
        )
        if any(item.name.startswith("target[") for item in outcome.gate.conditions):
            settings = self.spec.settings
            evidence.forget(self._opening.clients[:1], settings.reports / caching.FILE, shared=settings.shared)
        return self._write(outcome, unevaluated)

    def draw(self, outcome: Outcome) -> Outcome:
        """Write what people look at, if it is wanted; the gate's answer is known and need not wait for it.

        Args:
            outcome: what :meth:`finish` returned.

        Returns:
            The outcome, with a note for everything that could not be written.
        """
        from jmedethic_pytest.reports import files

        return files.draw(outcome, self._store) if self.spec.settings.report == "full" else outcome

    def _final_info(self, trouble: str | None, *, complete: bool) -> RunInfo:
        left_out = len(self.jobs) - len(self.planned)
        clients = self._opening.clients
        told = remarks(self.spec, clients, trouble, left_out)
        return record.ended(self.info, clients, self.spec.thresholds).model_copy(
            update={
                "status": "complete" if complete else "incomplete",
                "selected": len(self.planned),
                "unasked": self.info.unasked + left_out,
                "note": "; ".join([*self._notes, *self._of_calls(), *told]),
                "stopped_by_budget": self.out_of_budget,
            }
        )

    def _of_calls(self) -> list[str]:
        waves = self._opening.waves
        return [*self._opening.notes, *(waves.remarks() if waves is not None else ())]

    def _write(self, outcome: Outcome, unevaluated: list[Verdict]) -> Outcome:
        """Write what can be written; on a full disk the verdicts are what counts, and they are stored already."""
        from jmedethic_pytest.reports import files

        try:
            self._store.write_unevaluated(unevaluated)
            outcome = replace(outcome, info=outcome.provenance.noted(outcome.info))
            files.write(outcome, self._store)
            self._store.close()
        except StoreError as error:
            if self.aborted is None:
                raise
            note = f"{outcome.info.note} Also: {error}"
            outcome = replace(outcome, info=outcome.info.model_copy(update={"note": note}))
        traced.decided(self._span, outcome.gate.answer)
        return outcome
