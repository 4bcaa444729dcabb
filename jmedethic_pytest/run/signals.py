"""What a person, or the system, may tell a run while it is on: show where you stand, come to an end, stop.

Ctrl-C once: nothing new is begun, and what is in flight may finish; twice: stop. SIGTERM: stop. SIGUSR1: show where it
stands. Whatever ended a run, what is finished is stored and summed up.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from jmedethic_pytest.core.sentences import Said, say

LAST_SECONDS = 10.0
"""How long conversations in flight may go on after the first Ctrl-C."""


class Terminated(KeyboardInterrupt):
    """The system asked the process to end, and may kill it soon: nothing is waited for."""


def stop_on_sigterm() -> None:
    """Let a polite kill end the run like Ctrl-C."""
    signal.signal(signal.SIGTERM, _terminated)


def show_on_sigusr1(ask: Callable[[], None]) -> None:
    """Call a function at SIGUSR1, unless somebody else listens to it already, or there is no such signal.

    Args:
        ask: runs in the middle of anything, so it must do no more than set a mark.
    """
    usr1 = getattr(signal, "SIGUSR1", None)
    if usr1 is not None and signal.getsignal(usr1) == signal.SIG_DFL:
        signal.signal(usr1, lambda *_: ask())


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no further Ctrl-C break off what sums a run up; SIGTERM still does. Must be entered in the main thread."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def farewell(running: int) -> Said:
    """Return what is said at the first Ctrl-C.

    Args:
        running: conversations in flight.
    """
    return say("farewell", running=running, seconds=f"{LAST_SECONDS:.0f}")


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
