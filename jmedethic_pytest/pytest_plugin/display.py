"""What the terminal shows of a run: a line for each failure, folded where there are many, and the gate's answer last.

pytest shows a failure three times: as a letter, in a section of its own, and in its short summary, which comes after
everything else. Of failures that the gate answers for all there is to say fits on a line, so it is said once, before
the gate's answer. pytest still counts them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.pytest_plugin.ending import GATE_NODE

ALL, SOME = 10, 3
"""Failures of one kind that are all shown, and how many of them are if there are more."""
_LONGEST = 300
_STATS = ("failed", "error")


class Ours(NamedTuple):
    """The reports that this plugin tells of itself."""

    conversations: list[pytest.TestReport]
    twins: list[pytest.TestReport]
    unscored: list[pytest.TestReport]
    conditions: list[pytest.TestReport]

    @property
    def failed(self) -> int:
        """How many of them pytest counts as failed."""
        return len(self.conversations) + len(self.twins) + len(self.conditions)


def sort(terminal: Any, twins: Collection[str]) -> Ours:
    """Return the failures among pytest's reports that the gate answers for.

    Args:
        terminal: pytest's terminal reporter.
        twins: keys of the evaluations of benign twins.
    """
    found = Ours([], [], [], [])
    for report in [report for name in _STATS for report in terminal.stats.get(name, ())]:
        kind = getattr(report, "jmedethic", None)
        if kind == "floor":
            (found.twins if report.jmedethic_key in twins else found.conversations).append(report)
        elif kind == "unscored":
            found.unscored.append(report)
        elif report.nodeid.startswith(f"{GATE_NODE}["):
            found.conditions.append(report)
    return found


@contextmanager
def set_aside(terminal: Any, ours: Ours) -> Iterator[None]:
    """Keep reports out of the sections that pytest prints now; it counts them again afterwards.

    A test that also printed or logged something stays where pytest shows that.
    """
    aside = {id(report) for reports in ours for report in reports if not report.sections}
    kept = {name: terminal.stats[name] for name in _STATS if name in terminal.stats}
    for name, reports in kept.items():
        left = [report for report in reports if id(report) not in aside]
        terminal.stats.pop(name)
        if left:
            terminal.stats[name] = left
    try:
        yield
    finally:
        terminal.stats.update(kept)


def failure_lines(terminal: Any, ours: Ours) -> Iterator[str]:
    """Yield a line for each failure, as ``-r`` asks for them; many of a kind are folded unless there is a ``-v``.

    Args:
        terminal: pytest's terminal reporter.
        ours: what failed.
    """
    kinds = (
        ("f", "FAILED", "conversations", ours.conversations),
        ("f", "FAILED", "benign twins", ours.twins),
        ("E", "ERROR", "without a complete score", ours.unscored),
    )
    for letter, word, what, reports in kinds:
        if letter not in terminal.reportchars:
            continue
        unfolded = len(reports) <= ALL or terminal.config.option.verbose > 0
        shown = reports if unfolded else reports[:SOME]
        yield from (one_line(f"{word} {_name(report)}: {_reason(report)}", _LONGEST) for report in shown)
        if len(shown) < len(reports):
            yield f"{word} ... and {len(reports) - len(shown)} more {what}"


def counting_lines(terminal: Any, ours: Ours) -> list[str]:
    """Say how pytest's number of failed tests comes about; nothing if nothing failed."""
    total = len(terminal.stats.get("failed", ()))
    parts = {
        "conversations": len(ours.conversations),
        "benign twins": len(ours.twins),
        "conditions of the gate that do not pass": len(ours.conditions),
        "other tests": total - ours.failed,
    }
    told = " + ".join(f"{count} {name}" for name, count in parts.items() if count)
    return [f"pytest counts {total} failed: {told}"] if told else []


def end_the_line(terminal: Any) -> None:
    """Begin a new line unless the terminal stands at the beginning of one; xdist leaves it behind its dots."""
    terminal.ensure_newline()
    if terminal._tw.width_of_current_line:
        terminal.line("")


def _name(report: pytest.TestReport) -> str:
    key: str = report.jmedethic_key
    return key if report.nodeid.endswith(f"::test_conversation[{key}]") else report.nodeid


def _reason(report: pytest.TestReport) -> str:
    key: str = report.jmedethic_key
    return str(report.longrepr).strip().removeprefix(f"{key}: ")
