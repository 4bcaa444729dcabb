"""One line about a long run: done, calls a second, in flight, time left, money spent."""

from __future__ import annotations

from collections.abc import Sequence

from jmedethic_pytest.engine.scheduler import Progress
from jmedethic_pytest.models.client import Tally
from jmedethic_pytest.reports.wording import number


def line(state: Progress, tallies: Sequence[Tally], cost: float | None) -> str:
    """Return the present state of a run, the same for a terminal and for a log file.

    Args:
        state: how far the cases are.
        tallies: what each model was called for.
        cost: US dollars spent so far, ``None`` if unknown.
    """
    calls = sum(tally.calls for tally in tallies)
    parts = [
        f"{state.done}/{state.planned} cases",
        f"{calls / max(state.seconds, 1e-9):.1f} calls/s",
        f"{sum(tally.in_flight for tally in tallies)} in flight",
        f"ETA {_eta(state)}",
        "spend unknown" if cost is None else f"spend ${number(cost)}",
    ]
    return "jmedethic: " + ", ".join(parts)


def _eta(state: Progress) -> str:
    if not state.done:
        return "?"
    left = int(state.seconds / state.done * (state.planned - state.done))
    return f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
