"""The demo of building a benchmark, carried out once for all tests that read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import forked

COMMAND = "jmedethic generate all --config demo"


@pytest.fixture(scope="session")
def demo_chain(once: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return the folder in which the command has run without any interruption; ``output.txt`` is what it printed."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("chain")
        program, *arguments = COMMAND.split()
        done = forked.run(program, *arguments, folder=folder)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stdout
        (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
        return folder

    return lambda: once("demo-chain", make)
