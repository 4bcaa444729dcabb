"""How figures and warnings are written, in every report alike. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import Said, joined, say

if TYPE_CHECKING:
    from jmedethic_pytest.stats.estimate import Estimate

SIMULATION = say("simulation")
PAGE = "report.html"
"""The page of a run, in its folder."""

_ROLES = ("target", "judge", "golden", "attacker")
"""For what a model is called; its name among the calls of a run begins with it."""


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure, or a dash where there is none."""
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"  # never -0.00


def share(value: float | None) -> str:
    """Write a share as a percentage, or a dash where there is none."""
    return "-" if value is None else f"{round(value, 3) + 0.0:.1%}"


def interval(estimate: Estimate, digits: int = 2) -> str:
    """Write the ends of an interval, or a dash where there is none."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"[{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def share_interval(estimate: Estimate) -> str:
    """Write the ends of the interval of a share as percentages, or a dash where there is none."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"[{estimate.low:.1%}, {estimate.high:.1%}]"


def points(value: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign, or a dash where there is none."""
    return "-" if value is None else f"{round(100 * value, 1) + 0.0:+.1f}"


def points_interval(estimate: Estimate) -> str:
    """Write the ends of the interval of a difference of shares, or a dash where there is none."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"[{points(estimate.low)}, {points(estimate.high)}]"


def figure(estimate: Estimate) -> str:
    """Write a figure with the ends of its interval, if it has one."""
    return number(estimate.value) if estimate.low is None else f"{number(estimate.value)} {interval(estimate)}"


def share_figure(estimate: Estimate) -> str:
    """Write a share with the ends of its interval, if it has one."""
    return share(estimate.value) if estimate.low is None else f"{share(estimate.value)} {share_interval(estimate)}"


def p_value(p: float | None) -> str:
    """Write a p-value with its sign, or that there is none."""
    if p is None:
        return say("not_estimable")
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def duration(seconds: int) -> Said:
    """Write a time for a person."""
    if seconds < 60:
        return say("duration.minute")
    return say("duration.hours", hours=seconds // 3600, minutes=seconds // 60 % 60)


def spending(info: RunInfo) -> Iterator[Said]:
    """Yield what each model was called for: calls, tokens, money."""
    for name, calls in info.calls.items():
        tokens, cost = info.tokens.get(name, {}), info.cost_usd.get(name)
        role, _, model = name.partition(" ")
        whose = say(f"spent.{role}", model=model) if role in _ROLES else name
        used = say("spent.tokens", input=tokens.get("input", 0), output=tokens.get("output", 0))
        read, failed, batched = (tokens.get(key, 0) for key in ("prompt_cached", "failed_calls", "batched"))
        parts = [
            say("spent.calls", name=whose, calls=calls),
            say("spent.failed", count=failed) if failed else "",
            say("spent.batched", count=batched) if batched else "",
            say("spent.cached", count=tokens.get("cached_calls", 0)),
            say("spent.prompt_cached", used=used, read=read) if read else used,
            say("spent.unpriced") if cost is None else f"${cost:.4f}",
        ]
        yield joined(parts, en=", ", ja="、")
