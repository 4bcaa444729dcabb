"""What tests of several folders share."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest

from jmedethic_pytest.core import interface

# Tests press Ctrl-C in processes they start; a shell that runs the tests in the background would make those deaf to it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest.register_assert_rewrite("support")

# How long an example takes says nothing here: the machine is shared by several test processes.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


class Answer(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call ``jmedethic`` with arguments and return exit status and output; no command may end in a traceback."""
    from jmedethic_pytest.cli.main import main

    monkeypatch.setenv(interface.VARIABLE, "")  # what --lang chooses is undone afterwards

    def call(*args: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["jmedethic", *map(str, args)])
        capsys.readouterr()  # what was printed before is not the command's
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call


def pytest_collection_finish() -> None:
    """Prepare what all tests of a process share."""
    from support import built, bundled, collector  # not before their asserts are to be rewritten

    collector.set_aside_for_good()
    built.keep()
    bundled.keep()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every process its share of the files with whole runs, and those first: nothing long is to begin last."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        folder = item.path.parent
        files.setdefault(folder if folder.name == "browser" else item.path, []).append(item)  # they share a browser
    shares: list[list[pytest.Item]] = [[] for _ in range(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))]
    for number, path in enumerate(sorted(files, key=lambda path: ("system" not in path.parts, path))):
        shares[number % len(shares)] += files[path]
    items[:] = chain.from_iterable(shares)
