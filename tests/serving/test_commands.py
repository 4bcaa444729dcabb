"""Commands that make no run serve a checkpoint, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.standin import StandIns, alive


@pytest.fixture
def here(stand_ins: StandIns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    monkeypatch.chdir(tmp_path)
    return stand_ins


def test_doctor_starts_a_server_and_asks_it(here: StandIns, in_process: Callable[..., Any]) -> None:
    done = in_process("doctor", f"--serve={here.checkpoint}", "--judges=none", "--ask")
    assert done.status == 0, done.out
    assert "ok    server: ready: http://127.0.0.1:" in done.out
    assert "one question to vllm:ward-7b: answered in" in done.out
    assert not alive(here.folder)


def test_doctor_names_what_keeps_a_server_from_starting(
    here: StandIns, in_process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN", "fail")
    done = in_process("doctor", f"--serve={here.checkpoint}", "--judges=none")
    assert done.status == 1
    assert "FAIL  server:   | RuntimeError: CUDA out of memory" in done.out


def test_an_exam_of_equal_weights_is_sat_once(here: StandIns, in_process: Callable[..., Any]) -> None:
    command = ("exam", f"--serve={here.checkpoint}", "--sample=2", "--json")
    first = in_process(*command)
    assert first.status == 0, first.err
    assert first.json["model"] == "vllm:ward-7b"
    assert first.json["base_url"] == "served by vllm"
    assert first.json["revision"].startswith("fast:")
    again = in_process(*command)
    assert json.dumps(again.json["tokens"]) == json.dumps({"input": 0, "output": 0})
    assert not alive(here.folder)
