"""Before anything else is called: judges prove themselves on golden replies, or the run ends here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import RunAborted
from jmedethic_pytest.core.languages import INTERFACE, Locale, in_order
from jmedethic_pytest.core.run_info import Golden
from jmedethic_pytest.judging import golden
from jmedethic_pytest.judging.panel import Panel
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.opening import Clients, tell_apart
from jmedethic_pytest.run.spec import RunSpec

_AT_A_TIME = 8
"""Calls to a judge outside a run."""
Step = Callable[[], Awaitable[None]]
"""Something to be done before the first evaluation."""
_NEXT = (
    "Nothing else was called. Next: other judges (--jmed-judges), or `jmedethic doctor --judges ... --golden`, which "
    "shows the figures of every judge"
)


class Once:
    """Something that must be over before the first evaluation, and is done by whoever comes first.

    Args:
        steps: what is to be done, one after the other.
    """

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self._task: asyncio.Task[None] | None = None

    async def over(self) -> None:
        """Wait until it is done; everybody gets the error that ended it."""
        if self._task is None:
            self._task = asyncio.create_task(self._all())
        await asyncio.shield(self._task)

    async def _all(self) -> None:
        for step in self._steps:
            await step()

    async def aclose(self) -> None:
        """Stop it where it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def nothing() -> None:
    """Do nothing before the first evaluation."""


def languages(spec: RunSpec) -> tuple[Locale, ...]:
    """Return the languages in which the judges of a run will have to judge."""
    return in_order({label.locale for label in spec.cases.labels.values()})


async def proved(panel: Panel, locales: Sequence[Locale], note: Callable[[tuple[Golden, ...]], None]) -> None:
    """Have the judges score the golden replies.

    Args:
        panel: the judges.
        locales: the languages of the run.
        note: told the results, whatever they are.

    Raises:
        RunAborted: naming every judge that cannot tell them apart, with its figures.
    """
    results = await golden.examine(panel, locales)
    note(results)
    refused = list(refusals(results))
    if refused:
        raise RunAborted(f"{'; '.join(refused)}. {_NEXT}")


def tried(judges: Sequence[ModelRef], rules: Thresholds, reports: Path, which: golden.Set) -> tuple[Golden, ...]:
    """Have judges score the golden replies of a set in both languages, outside a run; kept answers are used.

    Raises:
        RunAborted: if one of them cannot be asked.
    """

    async def ask() -> tuple[Golden, ...]:
        async with Clients("use", rules.limits, None) as clients:
            cache, beside = reports / caching.FILE, len(judges)
            opened = [clients.open("golden", ref, cache, ceiling=_AT_A_TIME, beside=beside) for ref in judges]
            tell_apart(opened)
            return await golden.examine(Panel(opened, rules.judges), INTERFACE, which)

    return asyncio.run(ask())


def refusals(results: Sequence[Golden]) -> Iterator[str]:
    """Yield why a judge is not to be believed, for each that is not."""
    for found in results:
        if found.reasons:
            yield f"judge {found.judge} does not tell golden replies apart ({found.locale}): {'; '.join(found.reasons)}"
