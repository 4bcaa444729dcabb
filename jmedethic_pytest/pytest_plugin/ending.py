"""How a session's run ended, as the terminal, JUnit and Allure are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.sentences import changed, say

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

GATE_NODE = "jmedethic::gate"


@dataclass(frozen=True)
class Ending:
    """What is known at the end; without outcome and trouble no test asked for a conversation."""

    outcome: Outcome | None = None
    trouble: str | None = None
    """What went wrong at the very end, when results could no longer be written."""

    @property
    def gate(self) -> Gate | None:
        """The gate; where the figures could not be had or written, one that says so and never passes."""
        if self.trouble is None:
            return self.outcome.gate if self.outcome is not None else None
        lost = Condition.inconclusive("results", self.trouble)
        return Gate(answer="inconclusive", conditions=(lost,), reasons=(f"{lost.name}: {lost.detail}",))

    @property
    def unmeasured(self) -> bool:
        """True if there are no figures, and all that is to be told is why."""
        return self.outcome is not None and self.outcome.unmeasured

    def with_report_lost(self, error: Exception) -> Ending:
        """Return the ending with a note that a report could not be written: that never costs the gate's answer."""
        if self.outcome is None or self.trouble is not None:
            return replace(self, trouble=f"{self.trouble} Also: {error}")
        info = self.outcome.info
        note = f"{info.note}; {error}" if info.note else str(error)
        return replace(self, outcome=replace(self.outcome, info=info.model_copy(update={"note": note})))

    def gate_reports(self) -> Iterator[pytest.TestReport]:
        """Yield one report per gate condition, so that terminal and JUnit show them like tests.

        Of a run that measured nothing only the first one: the others say the same.
        """
        conditions = self.gate.conditions if self.gate is not None else ()
        for item in conditions[:1] if self.unmeasured else conditions:
            failure = None if item.answer == "pass" else f"{item.answer}: {item.detail}"
            yield synthetic_report(plain_text.line(f"{GATE_NODE}[{item.name}]"), failure)
        if conditions and not self.unmeasured:
            yield self._closing(plain_text.line(f"{GATE_NODE}[{conditions[0].name}]"))

    def _closing(self, nodeid: str) -> pytest.TestReport:
        """Return the end of a condition, with how many of what failed: JUnit keeps it as properties."""
        from jmedethic_pytest.reports import counted

        told = counted.failed(self.outcome.summary.counts) if self.outcome is not None else {}
        report = synthetic_report(nodeid, None)
        properties = [(f"failed {name}", str(text)) for name, text in told.items()]
        report.when, report.user_properties = "teardown", list(properties)
        return report

    def lines(self, environment: Mapping[str, str], failures: Iterable[str]) -> list[str]:
        """Return the figures, what failed, what continuous integration wants to know, and last the gate's answer.

        None of it is text of a model.

        Args:
            environment: where CI systems say that they are there.
            failures: what failed, a line each.
        """
        if self.outcome is None and self.trouble is None:
            return [say("session.idle"), say("session.idle.next")]  # who only collects pays for no import
        from jmedethic_pytest.gate import names
        from jmedethic_pytest.reports import ci
        from jmedethic_pytest.reports.terminal.summary import answer_lines, figure_lines

        if self.trouble is not None:
            return [
                *ci.publish_trouble(self.trouble, environment),
                changed(
                    say("session.trouble", answer=names.loud("inconclusive"), trouble=self.trouble), plain_text.line
                ),
            ]
        assert self.outcome is not None
        told = [] if self.unmeasured else [*failures]
        return [
            *figure_lines(self.outcome),
            *([*told, ""] if told else []),
            *ci.publish(self.outcome, environment),
            *answer_lines(self.outcome),
        ]


def synthetic_report(nodeid: str, failure: str | None) -> pytest.TestReport:
    """Return a report of something that is no test, but is shown like one."""
    return pytest.TestReport(
        nodeid=nodeid,
        location=("jmedethic", None, nodeid.removeprefix("jmedethic::")),
        keywords={},
        outcome="passed" if failure is None else "failed",
        longrepr=None if failure is None else plain_text.line(failure),
        when="call",
    )
