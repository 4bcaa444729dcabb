"""What the terminal shows of a run: a line for each failure, folded where there are many, and the gate's answer last.

pytest shows a failure three times: as a letter, in a section of its own, and in its short summary, which comes after
everything else. Of failures that the gate answers for all there is to say fits on a line, so it is said once, before
the gate's answer. pytest still counts them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.pytest_plugin.ending import GATE_NODE
from jmedethic_pytest.reports.terminal.failures import named

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.failures import Kind
    from jmedethic_pytest.pytest_plugin.controller import ControllerSession

ALL, SOME = 10, 3
"""Failures of one kind that are all shown, and how many of them are if there are more."""
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
    kinds: tuple[tuple[str, Kind, list[pytest.TestReport]], ...] = (
        ("f", "conversations", ours.conversations),
        ("f", "twins", ours.twins),
        ("E", "unscored", ours.unscored),
    )
    for letter, kind, reports in kinds:
        if letter not in terminal.reportchars:
            continue
        unfolded = len(reports) <= ALL or terminal.config.option.verbose > 0
        some = reports if unfolded else reports[:SOME]
        yield from named(kind, ((_name(report), _reason(report)) for report in some), len(reports))


def counting_lines(terminal: Any, ours: Ours) -> list[Said]:
    """Say how pytest's number of failed tests comes about; nothing if nothing failed."""
    total = len(terminal.stats.get("failed", ()))
    conversations, twins = ({report.jmedethic_key for report in found} for found in (ours.conversations, ours.twins))
    parts = {
        "failed.conversations": len(conversations),
        "failed.twins": len(twins),
        "session.more_tests": len(ours.conversations) + len(ours.twins) - len(conversations) - len(twins),
        "session.conditions": len(ours.conditions),
        "session.other": total - ours.failed,
    }
    told = [say("session.part", count=count, name=say(name)) for name, count in parts.items() if count]
    return [say("session.counts", total=total, parts=joined(told, en=" + ", ja=" + "))] if told else []


def print_summary(terminal: Any, controller: ControllerSession) -> None:
    """Print the figures, what failed, and last the gate's answer; then the page and the pictures are made."""
    ours = sort(terminal, controller.twins)
    lines = controller.tell(os.environ, failure_lines(terminal, ours))
    if lines:
        end_the_line(terminal)
        terminal.section(shown(say("session.title")))
        lines += counting_lines(terminal, ours)
    for line in lines:
        terminal.write_line(shown(line))
    terminal.flush()  # whoever waits for the answer need not wait for the pictures
    for line in controller.draw():
        terminal.write_line(shown(line))


def show_closing_reports(session: pytest.Session, controller: ControllerSession) -> None:
    """Show the gate's conditions like tests, but not to pytest's memories of failures: they could not be rerun.

    Nor to the session, which would count them towards ``--maxfail``, or to the terminal unless every test has a line
    there: it would put letters behind its 100 %. Both count them.
    Of a run that measured nothing our summary says all there is to say, once; JUnit has the rest.
    """
    plugins, unmeasured = session.config.pluginmanager, controller.ending.unmeasured
    terminal = plugins.getplugin("terminalreporter")
    silent = unmeasured or session.config.option.verbose <= 0
    names = ("session", "lfplugin", "stepwiseplugin", *(("terminalreporter",) if silent else ()))
    left_out = [plugin for name in names if (plugin := plugins.getplugin(name))]
    hook = plugins.subset_hook_caller("pytest_runtest_logreport", left_out)
    reports = controller.closing_reports()
    session.testscollected += sum(report.when == "call" for report in reports)
    session.testsfailed += sum(report.failed for report in reports)
    for report in reports:
        hook(report=report)
        if silent and not unmeasured and terminal is not None and report.when == "call":
            terminal._add_stats(report.outcome, [report])


def leave_out_what_was_given_up(terminal: Any) -> None:
    """Take the tests out of pytest's errors that were waiting when the run was given up: the summary says why, once."""
    told = [report for report in terminal.stats.pop("error", []) if getattr(report, "jmedethic", None) != "aborted"]
    if told:
        terminal.stats["error"] = told


def end_the_line(terminal: Any) -> None:
    """Begin a new line unless the terminal stands at the beginning of one; xdist leaves it behind its dots."""
    terminal.ensure_newline()
    if terminal._tw.width_of_current_line:
        terminal.line("")


def _name(report: pytest.TestReport) -> str:
    key: str = report.jmedethic_key
    return key if report.nodeid.endswith(f"::test_conversation[{key}]") else report.nodeid


def _reason(report: pytest.TestReport) -> Said:
    """Return why it failed, in Japanese too where the sentence is ours."""
    sides = (str(report.longrepr), getattr(report, "jmedethic_ja", str(report.longrepr)))
    return Said(*(side.strip().removeprefix(f"{report.jmedethic_key}: ") for side in sides))
