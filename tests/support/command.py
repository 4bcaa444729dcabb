"""The ``jmedethic`` command, called through its entry point in a folder of its own, and small case files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_KEYS = (
    "GITHUB_",
    "GITLAB_",
    "CI_",
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
def cli(folder: Path, in_process: Callable[..., Any]) -> Callable[..., Any]:
    """Call ``jmedethic`` in the folder."""
    return in_process


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
def run_cli(cli: Callable[..., Any]) -> Callable[..., Any]:
    """Call ``jmedethic run`` on ``cases.jsonl``; without its plots, which cost more than the run."""

    def call(model: str, *args: str) -> Any:
        return cli("run", f"--model={model}", "--cases=cases.jsonl", "--locale=en", "--report=off", *args)

    return call


@pytest.fixture(scope="session")
def beginnings() -> dict[Any, Path]:
    """Where what commands have left is kept, by the commands and the files that they found."""
    return {}


@pytest.fixture
def begun(
    cli: Callable[..., Any],
    folder: Path,
    beginnings: dict[Any, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Path]:
    """Bring the folder to where some commands lead; return its newest run.

    A process runs them once and copies what they left: many tests begin with the same run.
    """

    def bring(*commands: str) -> Path:
        key = commands, tuple(sorted((file.name, file.read_bytes()) for file in folder.iterdir() if file.is_file()))
        if key in beginnings:
            shutil.copytree(beginnings[key], folder, symlinks=True, dirs_exist_ok=True)
        else:
            for command in commands:
                cli(*command.split())
            beginnings[key] = tmp_path_factory.mktemp("begun") / "folder"
            shutil.copytree(folder, beginnings[key], symlinks=True)
        return (folder / "reports" / "latest").resolve()

    return bring


@pytest.fixture
def stored(folder: Path) -> Callable[[], Path]:
    """Return the folder of the newest run."""
    return lambda: (folder / "reports" / "latest").resolve()
