"""Steps as processes of this machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.launch.attempt import Attempt
from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.work import Work
from jmedethic_pytest.run import signals

_POLL_SECONDS = 0.2


class Local:
    """Carries out steps here, so many at a time.

    Args:
        work: the sweep.
        jobs: processes at the same time.
    """

    def __init__(self, work: Work, jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._waiting: list[Step] = []
        self._begun: dict[Step, Attempt] = {}

    def start(self, steps: Sequence[Step]) -> None:
        """Queue steps."""
        self._waiting += steps

    def running(self) -> set[Step]:
        """Return those that have not ended, and begin what there is room for."""
        for step, begun in list(self._begun.items()):
            if begun.process.poll() is not None:
                del self._begun[step]
                begun.end()
        for step in list(self._waiting):
            if len(self._begun) >= self._jobs:
                break
            begun_now = self._work.begin(step)
            if begun_now == "busy":  # left behind by another `sweep`, and at work: its result is waited for
                continue
            self._waiting.remove(step)
            if isinstance(begun_now, Attempt):
                self._begun[step] = begun_now
        return {*self._begun, *self._waiting}

    def word(self, _step: Step, /) -> str:
        """Return nothing: log and ending say it all."""
        return ""

    def close(self) -> None:
        """Ask the processes to end, and wait until they have: what they finished is stored then."""
        for begun in self._begun.values():
            begun.process.terminate()
        for begun in self._begun.values():
            begun.end()


def carry_out(work: Work, step: Step, waiting: Callable[[], None] = lambda: None) -> int:
    """Take one step in this process's name, and wait for its end: what a job of a cluster does.

    Args:
        work: the sweep.
        step: what is to be done.
        waiting: called if another process is at it already, whose result is waited for.

    Returns:
        0 if its result is there; else the exit status of the step's process, or 6 if it was killed.

    Raises:
        StoreError: if its files cannot be written, or what it needs is not there.
    """
    begun = work.begin(step)
    if begun == "busy":
        waiting()
    while begun == "busy":
        time.sleep(_POLL_SECONDS)
        begun = work.begin(step)
    if begun == "done":
        return 0
    signals.stop_on_sigterm()
    try:
        status = begun.end()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            begun.process.terminate()
        status = begun.end()
    if work.done(step):
        return ExitStatus.PASS
    return status if status > 0 else ExitStatus.INCONCLUSIVE
