"""What a run needs at its end is loaded while it waits for answers: statistics and drawing take a second and more."""

from __future__ import annotations

import threading
import time
from importlib import import_module

AFTER_SECONDS = 2.0
"""A run that is over before loads it when it is needed, as nothing was gained."""
IDLE = 0.5
"""Share of a core that a run may use and still be said to wait."""
_FIGURES = ("jmedethic_pytest.gate.outcome",)
_REPORTS = (
    "jmedethic_pytest.reports.tables",
    "jmedethic_pytest.reports.page",
    "jmedethic_pytest.reports.plots.heatmap",
)


class Loading:
    """Modules being loaded by a thread of their own, once the run leaves the machine idle.

    A run that computes all the time waits for nothing: a second thread would only keep its engine from the
    interpreter, and the end would come later.

    Args:
        reports: whether tables, plots and page will be written, too.
    """

    def __init__(self, *, reports: bool) -> None:
        self._modules = (*_FIGURES, *(_REPORTS if reports else ()))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="jmedethic-loading", daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        used = time.process_time()
        while not self._ended.wait(AFTER_SECONDS):
            before, used = used, time.process_time()
            if used - before <= IDLE * AFTER_SECONDS:
                self._load()
                return

    def _load(self) -> None:
        for name in self._modules:
            if self._ended.is_set():
                return
            try:
                module = import_module(name)
                getattr(module, "warm_up", lambda: None)()
            except Exception:  # noqa: BLE001 - whoever needs it says what is wrong with it
                return

    def over(self) -> None:
        """Begin no more; wait for what has begun, for two threads must not load the same library."""
        self._ended.set()
        self._thread.join()
