"""What a run needs at its end is loaded while it waits for answers: statistics and drawing take a second and more."""

from __future__ import annotations

import threading
from importlib import import_module

AFTER_SECONDS = 2.0
"""A run that is over before loads it when it is needed, as nothing was gained."""
_FIGURES = ("jmedethic_pytest.gate.outcome",)
_REPORTS = (
    "jmedethic_pytest.reports.tables",
    "jmedethic_pytest.reports.page",
    "jmedethic_pytest.reports.plots.heatmap",
)


class Loading:
    """Modules being loaded by a thread of their own.

    Args:
        reports: whether tables, plots and page will be written, too.
    """

    def __init__(self, *, reports: bool) -> None:
        self._modules = (*_FIGURES, *(_REPORTS if reports else ()))
        self._timer = threading.Timer(AFTER_SECONDS, self._load)
        self._timer.name, self._timer.daemon = "jmedethic-loading", True
        self._timer.start()

    def _load(self) -> None:
        for name in self._modules:
            if self._timer.finished.is_set():
                return
            try:
                import_module(name)
            except Exception:  # noqa: BLE001 - whoever needs it says what is wrong with it
                return

    def over(self) -> None:
        """Begin no more; wait for what has begun, for two threads must not load the same library."""
        self._timer.cancel()
        self._timer.join()
