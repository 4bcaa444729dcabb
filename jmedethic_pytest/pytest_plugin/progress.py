"""A progress line now and then during a session: often on a terminal, seldom in a log file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.pytest_plugin.display import end_the_line
from jmedethic_pytest.run.progress import IN_LOG, ON_TERMINAL

if TYPE_CHECKING:
    import pytest

_LOOK_SECONDS = 0.5


class Ticker:
    """Prints the state of a run when it is time to.

    Args:
        config: pytest's; unasked nothing is printed with ``-qq``, and nothing at all without its terminal.
        line: returns the state in one line, ``None`` as long as there is none.
        clock: tells seconds.
    """

    def __init__(
        self, config: pytest.Config, line: Callable[[], str | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._line = line
        self._clock = clock
        self._last = clock()
        self._stopped = threading.Event()
        self._asked = False

    def start(self) -> None:
        """Tick from a thread of its own: the xdist controller has no moment at which it could be asked to."""
        threading.Thread(target=self._loop, name="jmedethic-progress", daemon=True).start()

    def stop(self) -> None:
        """End the thread, if there is one."""
        self._stopped.set()

    def ask(self) -> None:
        """Have a line printed at the next look, whatever the time and with ``-qq``, too."""
        self._asked = True

    def tick(self) -> None:
        """Print a line if it is time to, or somebody asked."""
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        if terminal is None or not (self._asked or self._is_time(terminal)):
            return
        line = self._line()
        if line is not None:
            self._last = self._clock()
            self._asked = False
            end_the_line(terminal)
            terminal.write_line(line)

    def _is_time(self, terminal: Any) -> bool:
        passed = self._clock() - self._last
        return self._config.option.verbose >= -1 and passed >= (ON_TERMINAL if terminal.isatty else IN_LOG)

    def _loop(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            self.tick()
