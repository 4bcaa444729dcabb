"""Judges asked again about stored conversations, past every cache: no target, no run, nothing stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.engine.rescoring import Rescorer
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.opening import Clients, tell_apart
from jmedethic_pytest.run import record
from jmedethic_pytest.run.options import Settings


class Scored(NamedTuple):
    """What judges said, and what that took."""

    scorings: list[list[Verdict]]
    """The conversations in their order, once for each scoring."""
    calls: int
    cost_usd: float | None
    """``None`` where a price or a count of tokens is unknown."""


def score_again(
    verdicts: Sequence[Verdict],
    judges: Sequence[ModelRef],
    rules: Thresholds,
    words: Vocabulary,
    settings: Settings,
    third: ModelRef | None = None,
    *,
    scorings: int = 1,
    done: Callable[[], None] = lambda: None,
) -> Scored:
    """Have every reply of stored conversations scored, as often as asked.

    Args:
        verdicts: the conversations; their own scores are of no matter.
        judges: who scores.
        rules: how judges are called, and whose replies stood in the history (``[target] history``).
        words: the vocabulary of the conversations.
        settings: budget and concurrency.
        third: who is asked where two judges lie too far apart, if anybody is.
        scorings: how often each reply is scored.
        done: called after every conversation.

    Raises:
        RunAborted: if a judge's endpoint is dead, or the budget spent.
    """
    return asyncio.run(_score(verdicts, judges, third, rules, words, settings, scorings, done))


async def _score(
    verdicts: Sequence[Verdict],
    judges: Sequence[ModelRef],
    third: ModelRef | None,
    rules: Thresholds,
    words: Vocabulary,
    settings: Settings,
    scorings: int,
    done: Callable[[], None],
) -> Scored:
    longest = max(len(verdict.turns) for verdict in verdicts)
    most = settings.calls or settings.concurrency * longest
    free = asyncio.Semaphore(settings.concurrency)
    # A repetition is another question to a cache, and to a client that is asked the same twice at once.
    jobs = {(place, index): item for index in range(scorings) for place, item in enumerate(verdicts)}
    async with Clients("off", rules.limits, budgets.within(settings.budget, rules.prices)) as clients:
        cache = settings.reports / caching.FILE
        asked = [*judges, *([] if third is None else [third])]
        opened = [clients.open("judge", ref, cache, ceiling=most, beside=len(asked)) for ref in asked]
        tell_apart(opened)
        panel = Panel(opened[: len(judges)], rules.judges, words, next(iter(opened[len(judges) :]), None))

        async def one(place: int, index: int) -> Verdict:
            stored = jobs[place, index].model_copy(update={"repeat": index, "attacks": ()})
            rescorer = Rescorer(lambda _: stored, panel, rules, simulated=stored.simulated)
            async with free:
                found = await rescorer.evaluate(stored.key)
            done()
            return found

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {job: group.create_task(one(*job)) for job in jobs}
        except ExceptionGroup as found:
            raise found.exceptions[0] from None
        costs = [record.cost(client, rules) for client in opened]
        return Scored(
            scorings=[[tasks[place, index].result() for place in range(len(verdicts))] for index in range(scorings)],
            calls=sum(client.tally.calls for client in opened),
            cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        )
