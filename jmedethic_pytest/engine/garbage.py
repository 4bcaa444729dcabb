"""Fewer garbage collections while tests are collected and while an engine runs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WHILE_RUNNING, WHILE_COLLECTING = 50_000, 2_000_000
"""New objects between two collections: what waits to be collected takes memory; collected tests make no garbage."""
_MIDDLE, _OLD = 20, 100
_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []
"""The thresholds that were found by each one inside; the first one's are put back by the last."""


@contextmanager
def fewer_collections(young: int = WHILE_RUNNING) -> Iterator[None]:
    """Collect garbage rarely, and never look through what is there already. May be entered again, from any thread.

    A call makes thousands of short-lived objects and hardly a cycle, while pytest holds the tests, and the libraries
    their modules: with Python's own pace a tenth of the CPU of a run, and a third of that of collecting 50,000 tests,
    goes into looking through those again and again.
    """
    with _lock:
        _before.append(gc.get_threshold())
        gc.set_threshold(young, _MIDDLE, _OLD)
        gc.freeze()
    try:
        yield
    finally:
        with _lock:
            found = _before.pop()
            if _before:
                gc.freeze()
            else:
                gc.set_threshold(*found)
                gc.unfreeze()
