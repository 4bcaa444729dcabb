"""What the command line makes of trouble that nobody foresaw: one line, and never the status of a failed gate."""

from __future__ import annotations

import io
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jmedethic_pytest.cli
from jmedethic_pytest.cli import app, listing
from jmedethic_pytest.cli.main import COMMANDS, load, main


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(24, "Too many open files"), RecursionError("deep"), ValueError("odd\n\x1b[2J\u202e")],
)
def test_crash_is_one_line_and_inconclusive(
    in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(listing.run_files, "runs", crash)
    done = in_process("list", "runs")
    assert (done.status, done.out) == (6, "")
    assert done.err.startswith(f"ERROR: internal error: {type(error).__name__}")
    assert "test_main.py:" in done.err
    assert "What was finished is kept" in done.err
    assert done.err.count("\n") == 1
    assert not set(done.err) & {"\x1b", "\u202e"}


class _Closed(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def _ended(monkeypatch: pytest.MonkeyPatch, out: io.TextIOWrapper, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["jmedethic", *args])
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_closed_pipe_is_no_failed_gate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    closed = io.TextIOWrapper(io.BufferedWriter(_Closed(), 1), encoding="utf-8", write_through=True)
    assert _ended(monkeypatch, closed, "--help") != 1
    monkeypatch.undo()


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp", "latin-1", "ascii"])
def test_terminal_of_another_encoding_shows_what_it_can(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(listing.run_files, "runs", lambda _reports: app.out.print("日本語 한글 \u2192 \ud83d ok") or [])
    assert _ended(monkeypatch, io.TextIOWrapper(shown, encoding=encoding), "list", "runs") in (0, 6)
    sys.stdout.flush()
    text = shown.getvalue().decode(encoding)
    assert "ok" in text
    assert ("日本語" in text) is (encoding in ("cp932", "euc-jp"))


def test_every_command_is_found_by_its_name() -> None:
    load()
    groups = {str(group.name) for group in app.app.registered_groups}
    assert groups | {str(command.name) for command in app.app.registered_commands} == {*COMMANDS} - {"--version"}
    loaded = {*sys.modules}
    package = jmedethic_pytest.cli
    assert {module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")} <= loaded


@pytest.mark.parametrize("first", ["list", "--version"])
def test_a_command_imports_no_other(first: str) -> None:
    code = f"import sys\nfrom jmedethic_pytest.cli.main import load\nload({first!r})\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"jmedethic_pytest.generation", "jmedethic_pytest.cli.exam", "numpy"} & set(done.stdout.split())
