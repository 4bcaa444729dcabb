"""Runs whose requests are handed over in batches, against scripted servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.batch_server import BatchServer, batches
from support.command import cli, folder, run_cli, stored, write_cases
from support.project import LENIENT_RULES

__all__ = ["batches", "cli", "folder", "run_cli", "stored", "write_cases"]

CASES = 12
WHO = ("--model=openai:m", "--judges=openai:j1,anthropic:j2", "--cases=cases.jsonl", "--locale=en")


@pytest.fixture
def ready(folder: Path, write_cases: Callable[..., list[str]]) -> Path:
    write_cases(CASES)
    (folder / "thresholds.toml").write_text(LENIENT_RULES, encoding="utf-8")
    return folder


def _info(stored: Callable[[], Path]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stored() / "run.json").read_text(encoding="utf-8"))
    return found


def test_three_waves_and_one_for_each_judge_and_the_run_that_follows_calls_nobody(
    batches: BatchServer, ready: Path, cli: Callable[..., Any], stored: Callable[[], Path]
) -> None:
    filled = cli("batch", *WHO)
    assert filled.status == 0, filled.err
    print(filled)
    assert batches.sizes == [12, 12, 11, 35, 35]
    assert len(batches.singles) == 3, "the first request of each model goes ahead"
    before = len(batches.singles)
    run = cli("run", *WHO, "--report=off")
    assert run.status == 0, run.err
    assert len(batches.singles) == before
    info = _info(stored)
    assert all(not count for name, count in info["calls"].items()), info["calls"]
