"""The companions of every evaluation: once it is there, its conversation again as it was, and once reworded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jmedethic_pytest.cases.perturb.assigning import assign
from jmedethic_pytest.cases.perturb.kinds import VERSION
from jmedethic_pytest.cases.perturb.rewriting import Rewritten, rewrite
from jmedethic_pytest.core import branches, files
from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.core.plan import Job, plan_key
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.engine.plans import Spoken
from jmedethic_pytest.run.release import Door
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import companions as store


class Beside:
    """Evaluates companions, and stores them beside the verdicts.

    Args:
        spec: the run.
        engine: evaluates conversations.
        door: what is stored passes it.
        folder: the run's.
    """

    def __init__(self, spec: RunSpec, engine: Engine, door: Door, folder: Path) -> None:
        settings = spec.settings
        self._seed = settings.selection.seed
        self._kinds = assign(spec.whole.labels.values(), settings.perturb, self._seed, settings.repeats)
        self._turns = settings.selection.turns
        self._engine, self._folder = engine, folder
        self._guarded = door.guard(self._ask)

    async def evaluate(self, job: Job) -> None:
        """Evaluate and store the companions of a job that has its verdict; a benign twin has none.

        Raises:
            RunAborted: if an endpoint is dead or the budget spent.
            StoreError: if they cannot be stored.
        """
        kind = self._kinds.get((job.case_id, job.repeat))
        if kind is None:
            return
        key = plan_key(job.case_id, job.repeat)
        rewritten = rewrite(job.case, kind, self._seed)
        reason = rewritten.reason or self._unheard(job.case, rewritten)
        if rewritten.case is None or reason:
            store.append(self._folder, Companions(key=key, kind=kind, reason=reason))
            return
        try:
            async with asyncio.TaskGroup() as group:
                repeated = group.create_task(self._one(job, None))
                reworded = group.create_task(self._one(job, Spoken(rewritten.case, kind)))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        found = Companions(
            key=key,
            kind=kind,
            repeated=repeated.result(),
            reworded=reworded.result(),
            wording=files.compact_digest([said.text for said in branches.every_turn(rewritten.case)]),
        )
        store.append(self._folder, found)

    def _unheard(self, case: Case, rewritten: Rewritten) -> str:
        """Say whether the turns that a shortened run asks for are the same in other words."""
        turns = self._turns
        if turns is None or turns > len(case.turns) or rewritten.case is None:
            return ""
        same = rewritten.case.turns[:turns] == case.turns[:turns]
        return f"nothing to change in its first {turns} turns" if same else ""

    async def _one(self, job: Job, spoken: Spoken | None) -> Verdict:
        return await self._guarded((job, spoken))

    async def _ask(self, asked: tuple[Job, Spoken | None]) -> Verdict:
        job, spoken = asked
        if spoken is None:
            return await self._engine.repeat(job.case, job.repeat)
        return await self._engine.reword(job.case, spoken, job.repeat)


def plan(spec: RunSpec) -> dict[str, Any]:
    """Return what a run records of its rewording; the seed is that of its selection."""
    return {"kinds": list(spec.settings.perturb), "version": VERSION}
