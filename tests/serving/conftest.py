"""Fixtures of the servers' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.standin import StandIns


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    """Programs called vllm, sglang and transformers, the first on the PATH."""
    made = StandIns(tmp_path)
    made.install("vllm", "sglang", "transformers", "own")
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made
