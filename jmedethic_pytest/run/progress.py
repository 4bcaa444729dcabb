"""Where a long run stands: done, calls a second, in flight, time left, money spent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.sentences import Said, joined, laid, say
from jmedethic_pytest.engine.scheduler import Counts
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.run import record

ON_TERMINAL, IN_LOG = 10.0, 30.0
"""Seconds between two lines about a run."""


class Progress(NamedTuple):
    """The present state of a run."""

    done: int
    """Evaluations that are finished."""
    planned: int
    """Evaluations that are wanted."""
    seconds: float
    """Since the run began."""
    calls: int
    """Calls to all models together."""
    in_flight: int
    """Calls that wait for their answer."""
    cost_usd: float | None
    """US dollars spent so far, ``None`` if any used model's price is unknown."""
    batches: str = ""
    """Where batches stand, while there are any."""
    warning: str | None = None
    """That an endpoint does not answer, or the budget will soon be spent, if so."""

    def line(self) -> Said:
        """Return one line, the same for a terminal and for a log file."""
        cost = self.cost_usd
        parts = [
            say("progress.cases", done=self.done, planned=self.planned),
            say("progress.rate", rate=f"{self.calls / max(self.seconds, 1e-9):.1f}"),
            say("progress.in_flight", count=self.in_flight),
            say("progress.eta", left=self._eta()),
            say("progress.spend.unknown") if cost is None else say("progress.spend", cost=number(cost)),
            self.batches,
        ]
        told = laid("jmedethic: {parts}", parts=joined(parts, en=", ", ja="、"))
        return say("progress.warning", line=told, warning=self.warning) if self.warning else told

    def _eta(self) -> str:
        if not self.done:
            return "?"
        left = int(self.seconds / self.done * (self.planned - self.done))
        return f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"


def present(
    counts: Counts, clients: Sequence[Client], rules: Thresholds, budget: Budget | None, batches: str
) -> Progress:
    """Return where a run stands.

    Args:
        counts: its evaluations.
        clients: what it calls.
        rules: with the user's prices.
        budget: the most it may spend, if that is bounded.
        batches: where those stand, in words.
    """
    costs = [record.cost(client, rules) for client in clients]
    return Progress(
        done=counts.done,
        planned=counts.planned,
        seconds=counts.seconds,
        calls=sum(client.tally.calls for client in clients),
        in_flight=sum(client.tally.in_flight for client in clients),
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        batches=batches,
        warning=next(_warnings(clients, budget), None),
    )


def _warnings(clients: Sequence[Client], budget: Budget | None) -> Iterator[str]:
    for client in clients:
        if client.endpoint.trouble:
            yield f"{client.ref.label}{client.suffix}: {client.endpoint.trouble}"
    if budget and budget.warning:
        yield budget.warning
