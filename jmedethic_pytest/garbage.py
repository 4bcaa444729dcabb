"""Fewer garbage collections while an engine runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 100


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Collect garbage rarely, and never look through what is there already.

    A call makes thousands of short-lived objects and hardly a cycle, while pytest holds the tests, and the libraries
    their modules: with Python's own pace a tenth of the CPU of a run goes into looking through those again and again.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
