"""How often Python looks for garbage while a run has thousands of calls in flight."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PACE = (50_000, 20, 100)
"""New objects between two searches, and searches between those of older objects; what waits takes memory meanwhile."""
_lock = threading.Lock()
_found: list[tuple[tuple[int, int, int], int]] = []
"""Pace, and objects set aside already, as each engine found them; what the first one found is put back by the last."""


@contextmanager
def searched_rarely() -> Iterator[None]:
    """Search seldom, and never again through what is there already. May be entered again, from any thread.

    A call makes thousands of short-lived objects and hardly a cycle, while pytest holds its tests and the libraries
    their modules. With Python's own pace a fifth of the CPU of a run's engine goes into looking through those again
    and again (docs/performance.md).
    """
    with _lock:
        # Counting takes as long as a search, and only the last to leave asks what the first has found.
        first = not _found
        _found.append((gc.get_threshold(), gc.get_freeze_count() if first else 0))
        gc.set_threshold(*PACE)
        if first:  # whoever enters later would set garbage aside, too, until the first one leaves
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            pace, aside = _found.pop()
            if not _found:
                gc.set_threshold(*pace)
                if not aside:  # what others have set aside is not ours to bring back
                    gc.unfreeze()


@contextmanager
def not_searched() -> Iterator[None]:
    """Search for none, while cases are read and tests made, which all stay."""
    pause = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()
