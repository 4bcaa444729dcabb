"""Who waits for the gate's answer does not wait for the pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.reports import files

RUN = ("run", "--model=demo:aligned", "--cases=cases.jsonl", "--locale=en")


class Slow:
    """A report that looks, when it is its turn, at what was told and stored before it."""

    NAME = "report.html"

    def __init__(self, capsys: pytest.CaptureFixture[str], trouble: str = "") -> None:
        self._capsys, self._trouble = capsys, trouble
        self.told = ""
        self.stored: set[str] = set()

    def write(self, _outcome: object, folder: Path) -> None:
        self.told = self._capsys.readouterr().out
        self.stored = {path.name for path in folder.iterdir()}
        if self._trouble:
            raise OSError(self._trouble)
        (folder / self.NAME).write_text("<p>later</p>", encoding="utf-8")


def test_the_answer_is_told_and_stored_before_anything_is_drawn(
    cli: Callable[..., Any],
    write_cases: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow = Slow(capsys)
    monkeypatch.setattr(files, "reports", lambda: (slow,))
    write_cases(7)
    after = cli(*RUN).out
    assert "GATE: INCONCLUSIVE" in slow.told
    assert "report:" not in slow.told
    assert {"gate.json", "summary.json", "run.json", "comment.md"} <= slow.stored
    assert after.startswith("report: ")
    assert "GATE" not in after


def test_a_page_that_fails_costs_neither_answer_nor_status(
    cli: Callable[..., Any],
    write_cases: Callable[..., list[str]],
    stored: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow = Slow(capsys, trouble="no room left")
    monkeypatch.setattr(files, "reports", lambda: (slow,))
    write_cases(7)
    answer = cli(*RUN)
    assert answer.status == 6
    assert "GATE: INCONCLUSIVE" in slow.told
    assert "report.html could not be written (no room left)" in answer.out
    assert "report.html could not be written" in (stored() / "run.json").read_text(encoding="utf-8")
