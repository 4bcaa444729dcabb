"""How figures and warnings are written, in every report alike. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jmedethic_pytest.core.run_info import RunInfo

if TYPE_CHECKING:
    from jmedethic_pytest.stats.estimate import Estimate

SIMULATION = "SIMULATION: demo targets and demo judges are scripted; these figures say nothing about any real model."

PAGE = "report.html"
"""The page of a run, in its folder."""


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
        return "not estimable"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def duration(seconds: int) -> str:
    """Write a time for a person."""
    return f"{seconds // 3600} h {seconds // 60 % 60} min" if seconds >= 60 else "a minute"


def spending(info: RunInfo) -> Iterator[str]:
    """Yield what each model was called for: calls, tokens, money."""
    for name, calls in info.calls.items():
        tokens, cost = info.tokens.get(name, {}), info.cost_usd.get(name)
        money = "price unknown" if cost is None else f"${cost:.4f}"
        failed = f", {tokens['failed_calls']} failed" if tokens.get("failed_calls") else ""
        read = tokens.get("prompt_cached")
        used = f"{tokens.get('input', 0)} + {tokens.get('output', 0)} tokens"
        used += f" ({read} from the prompt cache)" if read else ""
        failed += f", {tokens['batched']} answers in batches" if tokens.get("batched") else ""
        yield f"{name}: {calls} calls{failed}, {tokens.get('cached_calls', 0)} from cache, {used}, {money}"
