"""The search for garbage in a process that has imported everything."""

from __future__ import annotations

import gc

count = gc.get_freeze_count
"""Count what is set aside, as the collector itself does."""


def set_aside() -> None:
    """Have nobody look through what is there: that took a tenth of the CPU of the tests; nor count it, as runs do."""
    gc.freeze()
    gc.get_freeze_count = lambda: 1
