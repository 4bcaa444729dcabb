"""Where a long run stands: done, calls a second, in flight, time left, money spent."""

from __future__ import annotations

from typing import NamedTuple

from jmedethic_pytest.reports.wording import number


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
    warning: str | None = None
    """That an endpoint does not answer, or the budget will soon be spent, if so."""

    def line(self) -> str:
        """Return one line, the same for a terminal and for a log file."""
        parts = [
            f"{self.done}/{self.planned} cases",
            f"{self.calls / max(self.seconds, 1e-9):.1f} calls/s",
            f"{self.in_flight} in flight",
            f"ETA {self._eta()}",
            "spend unknown" if self.cost_usd is None else f"spend ${number(self.cost_usd)}",
        ]
        return f"jmedethic: {', '.join(parts)}" + (f"; WARNING: {self.warning}" if self.warning else "")

    def _eta(self) -> str:
        if not self.done:
            return "?"
        left = int(self.seconds / self.done * (self.planned - self.done))
        return f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
