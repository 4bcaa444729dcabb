"""What a statistic may say: an estimate with its interval, a test with its p-value, or that neither can be had."""

from __future__ import annotations

from pydantic import Field

from jmedethic_pytest.core.records import Record


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
