"""One run from prepared input to outcome: what pytest and the command line have in common.

prepared = prepare(settings, root)     # everything that can be wrong is found here, before anything is paid
run = Run(prepared); run.start()       # store, cache, engine
run.runner.plan(ids) ...               # the front end asks for verdicts
outcome = run.finish()                 # statistics, gate, files
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.plan import Job
from jmedethic_pytest.core.records import Case, RunInfo, Verdict
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.scheduler import Runner
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models import prices
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.opening import Clients, tell_apart
from jmedethic_pytest.run import baseline_lookup, progress
from jmedethic_pytest.run.prepare import Prepared, run_info
from jmedethic_pytest.run.release import Door
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.table import ScoreTable
    from jmedethic_pytest.gate.outcome import Evaluated, Outcome


class Run:
    """A run in progress: store, engine thread, and the figures collected on the way.

    Raises:
        StoreError: from ``start`` if reports or cache cannot be written.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._door = Door(prepared)
        settings = prepared.settings
        self.clients: list[Client] = []
        """Target first, then the judges; filled when the run starts."""
        self.notes: list[str] = []
        """What the user should know besides the figures."""
        self.budget = budgets.within(settings.budget, prepared.thresholds.prices)
        self._recall = baseline_lookup.recall(prepared)
        self.jobs = prepared.plan()
        self.runner = Runner(
            self.jobs,
            self._open_engine,
            self._keep,
            recall=lambda key: self.store.recall(key),  # noqa: PLW0108 - the store is opened later
            concurrency=settings.concurrency,
            lookahead=settings.lookahead,
        )

    def start(self) -> None:
        """Create the run folder and start the engine."""
        prepared, settings = self.prepared, self.prepared.settings
        self.store = run_files.RunStore(settings.reports, run_files.new_run_id(prepared.target.label))
        info = run_info(prepared, self.store.path.name).model_copy(update={"git_commit": _git_commit()})
        self._info = self._door.info(info)
        self.store.write_info(self._info)
        self.runner.start()

    def discard(self) -> None:
        """Stop the engine and remove the folder of a run that no test ever asked anything of."""
        self.runner.stop()
        self.store.discard()

    def finish(self, *, interrupted: str | None = None) -> Outcome:
        """Stop the engine, compute statistics and gate, write the last files.

        Args:
            interrupted: why the front end stopped early, if it did.
        """
        from jmedethic_pytest.gate.outcome import Evaluated

        self.runner.stop()
        trouble = self.runner.aborted or interrupted
        if trouble:
            self.notes.append(trouble)
        prepared = self.prepared
        passed_over = len(self.jobs) - len(self.runner.planned)
        if passed_over > 0:
            left = f"{passed_over} of {len(self.jobs)} selected evaluations"
            self.notes.append(f"pytest left out {left} (-k, -m, --deselect, --lf or the like)")
        if self.runner.out_of_budget:
            self._store_skipped()
        evaluated = Evaluated(compared=bool(prepared.baselines), vocabulary=prepared.cases.vocabulary)
        self._read_back(evaluated)
        unevaluated = [self._empty(key) for key in self.runner.planned if key not in evaluated.table]
        for empty in unevaluated:
            evaluated.add_unevaluated(empty)
        complete = not unevaluated and not trouble
        info = self._final_info().model_copy(update={"status": "complete" if complete else "incomplete"})
        outcome = evaluated.outcome(
            self.store.path,
            info,
            prepared.thresholds,
            baselines=prepared.baselines,
            case_turns=prepared.longest,
            trouble=trouble,
        )
        return self._write(outcome, unevaluated, evaluated.table)

    def _read_back(self, evaluated: Evaluated) -> None:
        planned = set(self.runner.planned)
        for verdict in run_files.read_verdicts(self.store.path):
            if verdict.key in planned:
                evaluated.add(verdict)

    def _empty(self, key: str, detail: str = "") -> Verdict:
        """Return the verdict of a planned evaluation that did not take place."""
        job = self.jobs[key]
        case = job.case
        turns = len(case.turns[: self.prepared.settings.selection.turns])
        return Verdict(case=case, repeat=job.repeat, status="skipped_budget", detail=detail, planned_turns=turns)

    def _store_skipped(self) -> None:
        """Account for the cases that the budget did not reach: they are missing, and say why."""
        for key in self.runner.unfinished():
            self.store.append(self._empty(key, self.runner.aborted or ""))

    def _write(self, outcome: Outcome, unevaluated: list[Verdict], table: ScoreTable) -> Outcome:
        """Write what can be written; on a full disk the verdicts are what counts, and they are stored already."""
        from jmedethic_pytest.reports import files

        try:
            self.store.write_unevaluated(unevaluated)
            outcome = files.write(outcome, self.store, full=self.prepared.settings.report == "full", table=table)
            self.store.close()
        except StoreError as error:
            if self.runner.aborted is None:
                raise
            self.runner.aborted += f" Also: {error}"
        return outcome

    @property
    def info(self) -> RunInfo:
        """What the run is, as it was recorded when it started."""
        return self._info

    @property
    def planned(self) -> list[str]:
        """Keys of the evaluations the tests want, once they are known."""
        return self.runner.planned

    def plan(self, keys: list[str]) -> None:
        """Give the evaluations of this run in the order of the tests; only the first plan counts."""
        self.runner.plan(keys)

    def request(self, key: str) -> Future[Verdict]:
        """Ask for the verdict of a planned evaluation."""
        return self.runner.request(key)

    def evaluate(self, case: Case) -> Future[Verdict]:
        """Evaluate a case outside the plan; it is no part of the run's figures."""
        return self.runner.evaluate(Job(case.id, {case.id: case}))

    def progress_line(self) -> str:
        """Return one line about the state of the run, and the budget's warning once it is due."""
        line = progress.line(self.runner.progress(), [client.tally for client in self.clients], self.cost())
        return f"{line}; WARNING: {self.budget.warning}" if self.budget and self.budget.warning else line

    def cost(self) -> float | None:
        """Return US dollars spent so far, ``None`` if any used model's price is unknown."""
        costs = [self._cost(client) for client in self.clients]
        return None if any(cost is None for cost in costs) else sum(cost or 0.0 for cost in costs)

    def _cost(self, client: Client) -> float | None:
        tally = client.tally
        if tally.uncounted:
            return None
        return prices.cost(client.ref.label, tally.input_tokens, tally.output_tokens, self.prepared.thresholds.prices)

    def _keep(self, verdict: Verdict) -> None:
        self.store.append(self._recall(verdict))

    def _final_info(self) -> RunInfo:
        return self._info.model_copy(
            update={
                "finished": run_files.now(),
                "selected": len(self.runner.planned),
                "calls": {self._name(client): client.tally.calls for client in self.clients},
                "tokens": {
                    self._name(client): {
                        "input": client.tally.input_tokens,
                        "output": client.tally.output_tokens,
                        "cached_calls": client.tally.cached,
                        "failed_calls": client.tally.failed,
                    }
                    for client in self.clients
                },
                "cost_usd": {self._name(client): self._cost(client) for client in self.clients},
                "seconds_per_call": {
                    self._name(client): client.tally.seconds / client.tally.calls
                    for client in self.clients
                    if client.tally.calls
                },
                "note": "; ".join(self.notes),
                "stopped_by_budget": self.runner.out_of_budget,
                "limits": {self._name(client): tuple(client.limit.changes) for client in self.clients},
            }
        )

    @staticmethod
    def _name(client: Client) -> str:
        return f"{client.role} {client.ref.label}{client.suffix}"

    @asynccontextmanager
    async def _open_engine(self) -> AsyncIterator[Callable[[Job], Awaitable[Verdict]]]:
        """Open cache and clients in the engine's loop."""
        prepared, settings, rules = self.prepared, self.prepared.settings, self.prepared.thresholds
        cache = settings.reports / "cache.sqlite"
        async with Clients(settings.cache, rules.limits, self.budget) as clients:
            # A conversation has one question to the target open at a time, and to a judge up to one a turn.
            most = settings.calls or settings.concurrency
            target = clients.open("target", prepared.target, cache, ceiling=most)
            most = settings.calls or settings.concurrency * max(1, prepared.longest)
            judges = [clients.open("judge", judge, cache, ceiling=most) for judge in prepared.judges]
            tell_apart(judges)
            self.clients[:] = [target, *judges]
            self.notes += clients.notes
            if settings.redact and settings.cache != "off":
                self.notes.append(f"the response cache {cache} holds texts of models")
            panel = Panel(judges, rules.judges, prepared.cases.vocabulary)
            engine = Engine(target, panel, rules, settings.selection.turns)
            yield self._door.guard(lambda job: engine.evaluate(job.case, job.repeat))


def _git_commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
