"""What a statistic may say: an estimate with its interval, a test with its p-value, or that neither can be had."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.scores import BEST, WORST


class Estimate(Record):
    """A figure with its confidence interval. What cannot be estimated is ``None``, and ``reason`` says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    """Coverage of the two-sided interval [low, high]."""
    n: int = 0
    clusters: int = 0
    """Independent groups behind the interval: guidelines."""
    method: str = ""
    """``cluster t``, ``cluster bootstrap``, ``Wilson``, ..."""
    reason: str = ""
    """Why there is no figure or no interval, in words; empty if there are both."""

    def of_difference(self, span: float = BEST - WORST) -> Self:
        """Return the same, cut at the ends of the scale of a difference.

        Args:
            span: largest difference there can be: 9 for scores, 1 for shares, the number of turns for turns.
        """
        return self.within(-span, span)

    def within(self, least: float, most: float) -> Self:
        """Return the same, cut at the ends of a scale beyond which no truth can lie.

        Student's t knows no scale. Cutting takes away only what is impossible, so that the coverage stays what it was.
        """
        ends = {name: getattr(self, name) for name in ("value", "low", "high")}
        return self.model_copy(
            update={name: end if end is None else min(max(end, least), most) for name, end in ends.items()}
        )


class Test(Record):
    """A significance test. ``p`` is ``None`` where it cannot be had, and ``reason`` says why."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    name: str
    statistic: float | None
    p: float | None
    p_adjusted: float | None = None
    adjustment: str = ""
    """``Holm``, ``Bonferroni``, ``Benjamini-Hochberg``."""
    n: int = 0
    effects: dict[str, float | None] = Field(default_factory=dict)
    """Effect sizes that belong to the test, by name."""
    reason: str = ""
