"""The ``jmedethic`` command, called through its entry point in a folder of its own, and small case files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest.cli import main

_KEYS = (
    "GITHUB_",
    "GITLAB_",
    "OPENAI_",
    "ANTHROPIC_",
    "OPENROUTER_",
    "DEEPSEEK_",
    "GEMINI_",
    "VLLM_",
    "OLLAMA_",
    "SGLANG_",
    "LLAMA_",
)


class Answer(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; no key of a provider is set."""
    for name in list(os.environ):
        if name.startswith(_KEYS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call ``jmedethic`` with arguments and return exit status and output; no command may end in a traceback."""

    def call(*args: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["jmedethic", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def write_cases(folder: Path) -> Callable[..., list[str]]:
    """Write ``cases.jsonl`` with so many English cases, strategies and guidelines in rotation; return the ids."""

    def write(count: int, **changes: Any) -> list[str]:
        cases = [
            {
                "id": f"en-case-{number:02d}",
                "locale": "en",
                "guideline": f"JMA-{1 + number % 5:02d}",
                "strategy": f"S{1 + number % 7}",
                "suites": ["core"],
                "persona": "nurse",
                "turns": [f"Question {number}, turn {turn}: what would you advise?" for turn in range(3)],
                **changes,
            }
            for number in range(count)
        ]
        lines = [json.dumps(case, ensure_ascii=False) + "\n" for case in cases]
        (folder / "cases.jsonl").write_text("".join(lines), encoding="utf-8")
        return [str(case["id"]) for case in cases]

    return write


@pytest.fixture
def run_cli(cli: Callable[..., Answer]) -> Callable[..., Answer]:
    """Call ``jmedethic run`` on ``cases.jsonl``."""

    def call(model: str, *args: str) -> Answer:
        return cli("run", f"--model={model}", "--cases=cases.jsonl", "--locale=en", *args)

    return call


@pytest.fixture
def stored(folder: Path) -> Callable[[], Path]:
    """Return the folder of the newest run."""
    return lambda: (folder / "reports" / "latest").resolve()
