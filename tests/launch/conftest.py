"""Files of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.launch import plan, sweep_file
from jmedethic_pytest.launch.work import Work
from support.project import new_case

__all__ = ["new_case"]

MODELS = """
[[models]]
name = "a"
model = "demo:aligned"

[[models]]
name = "b"
model = "demo:eroding"
base = "a"
"""


@pytest.fixture
def write_sweep(tmp_path: Path) -> Callable[..., Path]:
    """Write ``sweep.toml``: two demo models, and what is given before and behind them."""

    def write(before: str = "", behind: str = "", *, models: str = MODELS) -> Path:
        file = tmp_path / "sweep.toml"
        file.write_text(f"schema_version = 1\n{before}\n{models}\n{behind}\n", encoding="utf-8")
        return file

    return write


@pytest.fixture
def planned(write_sweep: Callable[..., Path]) -> Callable[..., Work]:
    """Return the planned work of such a file."""

    def make(*texts: str, **more: str) -> Work:
        file = write_sweep(*texts, **more)
        wanted = plan.made(sweep_file.load(file))
        return Work(plan.settled(wanted, file.parent), file)

    return make
