"""From a plan to its results: whatever is ready is begun, nothing that is done, and one that fails stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.work import Launcher, Work

_POLL_SECONDS = 0.2


def drive(
    work: Work,
    steps: Sequence[Step],
    collecting: Launcher,
    central: Launcher,
    changed: Callable[[set[Step]], None] = lambda _: None,
) -> None:
    """Take steps until none is left that could be: each once, in whatever order what they need allows.

    Args:
        work: the sweep.
        steps: what is to be done.
        collecting: who collects.
        central: who merges and judges, one after the other: that is where the judges' keys are, and one quota.
        changed: called with the steps at work whenever these are others.
    """
    left = [step for step in steps if not work.done(step)]
    before: set[Step] | None = None
    try:
        while True:
            running = collecting.running() | central.running()
            if running == before:
                time.sleep(_POLL_SECONDS)
                continue
            ready = [step for step in left if work.ready(step)]
            if ready:
                collecting.start([step for step in ready if step.does == "collect"])
                central.start([step for step in ready if step.does != "collect"])
                left = [step for step in left if step not in ready]
                before = None
                continue
            changed(running)
            if not running:
                return
            before = running
    finally:
        collecting.close()
        central.close()
