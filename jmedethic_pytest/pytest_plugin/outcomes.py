"""What the tests' own reports say, and which of their failures the gate answers for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jmedethic_pytest.core.errors import CaseError, JmedError, RunAborted, ThresholdFailure

OURS = (JmedError, ThresholdFailure)
"""Errors that are told in a line of their own words."""


@contextmanager
def told_from_its_end(item: pytest.Item, raised: pytest.ExceptionInfo[BaseException]) -> Iterator[None]:
    """Let pytest describe one of our errors by its words and its last frame, and leave all frames to later hooks.

    A line takes the place of what is made of them. To quote the source of a frame costs five milliseconds of CPU, for
    pytest reads its whole file, and to go through all frames another one; a run can have thousands of failures.
    """
    if not isinstance(raised.value, OURS) or "repr_failure" in vars(item):  # another plugin's words are its business
        yield
        return
    whole, raised.traceback = raised.traceback, raised.traceback[-1:]
    item.repr_failure = lambda excinfo, style=None: excinfo.getrepr(style="value")  # type: ignore[method-assign] # noqa: ARG005
    try:
        yield
    finally:
        del item.repr_failure
        raised.traceback = whole


def outcome_kind(error: BaseException, given: str | None) -> str | None:
    """Return how a test's exception counts for the exit status.

    ``floor`` and ``unscored`` are left to the gate, which knows that verdict; ``aborted`` ends the session. ``None`` is
    anything else, also a case of the test's own: the gate does not know it, so the failure counts by itself.

    Args:
        error: what the test raised.
        given: key of the planned verdict the test was given, if any.
    """
    if isinstance(error, RunAborted):
        return "aborted"
    if isinstance(error, ThresholdFailure | CaseError) and error.key == given:
        return "floor" if isinstance(error, ThresholdFailure) else "unscored"
    return None


class SeenReports:
    """The reports of a session's tests, of whatever process they ran in."""

    def __init__(self) -> None:
        self.forgiven = 0
        """Failed reports whose verdict the gate knows; every other failure, also a plugin's, fails the session."""
        self.keys: set[str] = set()
        """Evaluations whose test has reported."""
        self.crashed: dict[str, str] = {}
        """What xdist says of tests whose worker died, by node id; nobody else reports them."""

    def add(self, report: pytest.TestReport, *, given_up: bool) -> bool:
        """Count a report; tell whether it says that the run was given up.

        Args:
            report: of any phase of a test.
            given_up: whether the engine has given the run up.
        """
        kind = getattr(report, "jmedethic", None)
        aborted = kind == "aborted" and given_up
        if report.failed and (kind in ("floor", "unscored") or aborted):
            self.forgiven += 1
        self.keys.add(getattr(report, "jmedethic_key", ""))
        if report.when not in ("setup", "call", "teardown"):
            self.crashed[report.nodeid] = str(report.longrepr)
        return aborted
