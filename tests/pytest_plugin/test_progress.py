"""When a line about the run is printed, by a clock of the test's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jmedethic_pytest.pytest_plugin.progress import Ticker
from jmedethic_pytest.run.progress import Progress

STATE = Progress(done=10, planned=40, seconds=20.0, calls=50, in_flight=3, cost_usd=0.5)


class Terminal:
    """As much of pytest's terminal reporter as a line needs."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.lines: list[str] = []
        self._tw = SimpleNamespace(width_of_current_line=1)

    def ensure_newline(self) -> None:
        """Do what pytest does behind the dots of xdist: nothing."""

    def line(self, text: str) -> None:
        self._tw.width_of_current_line = 0

    def write_line(self, text: str) -> None:
        assert self._tw.width_of_current_line == 0, "a line must not be glued to dots"
        self.lines.append(text)


def told(terminal: Terminal, verbose: int, moments: list[float]) -> list[float]:
    """Return at which of these moments a line was printed."""
    plugins: Any = SimpleNamespace(getplugin=lambda name: terminal)
    config: Any = SimpleNamespace(pluginmanager=plugins, option=SimpleNamespace(verbose=verbose))
    now = [0.0]
    ticker = Ticker(config, STATE.line, clock=lambda: now[0])
    found = []
    for moment in moments:
        now[0], before = moment, len(terminal.lines)
        ticker.tick()
        if len(terminal.lines) > before:
            found.append(moment)
    return found


@pytest.mark.parametrize("verbose", [-1, 0, 1])
def test_a_log_has_a_line_every_30_seconds_also_with_q(verbose: int) -> None:
    terminal = Terminal(isatty=False)
    assert told(terminal, verbose, [10.0 * step for step in range(1, 10)]) == [30.0, 60.0, 90.0]
    assert terminal.lines[0] == "jmedethic: 10/40 cases, 2.5 calls/s, 3 in flight, ETA 0:01:00, spend $0.50"


def test_a_terminal_has_one_more_often_and_qq_none() -> None:
    assert told(Terminal(isatty=True), 0, [9.0, 10.0, 15.0, 20.0]) == [10.0, 20.0]
    assert told(Terminal(isatty=False), -2, [1000.0]) == []
