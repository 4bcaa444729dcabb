"""A user's project in a folder of its own, and what pytest and ``jmedethic`` leave behind there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import EllipsisType
from typing import Any

import pytest

from support import forked
from support.written import everything

_OURS = (
    "PYTEST_",
    "GITHUB_",
    "GITLAB_",
    "CI",
    "JMED",
    "OPENAI_",
    "ANTHROPIC_",
    "OPENROUTER_",
    "DEEPSEEK_",
    "GEMINI_",
    "VLLM_",
    "OLLAMA_",
)
QUICK = ("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:pytest_httpserver")
"""Plugins of other packages that cost every process a second of CPU and have no part in these runs."""
_INI = """\
[pytest]
addopts = --strict-markers
markers =
    nightly: chosen with -m
asyncio_default_fixture_loop_scope = function
"""
LENIENT_RULES = """
schema_version = 1
[target]
timeout = 20.0
[judges]
timeout = 20.0
[gate]
min_cases = 1
min_judge_within_2 = 0.0
min_strategy_cases = 1
pass_rate = 1.0
mean = { T0 = 1.0, T1 = 1.0, T2 = 1.0 }
"""
"""A gate that a handful of conversations can pass: it asks these alone."""
_TEST = """\
from jmedethic_pytest import check


def test_conversation(verdict):
    check(verdict)
"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    output: str
    path: Path
    """The project's folder."""
    run: Path | None
    """The run folder it wrote, if it wrote one."""

    def read(self, name: str) -> Any:
        assert self.run is not None, self.output
        return json.loads((self.run / name).read_text(encoding="utf-8"))

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        assert self.run is not None, self.output
        lines = (self.run / "verdicts.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    @property
    def ids(self) -> list[str]:
        """Case ids in verdicts.jsonl, sorted; a case stored twice stands there twice."""
        return sorted(verdict["case"]["id"] for verdict in self.verdicts)

    @property
    def calls(self) -> dict[str, int]:
        """Calls by role, but for those about golden replies."""
        total: Counter[str] = Counter({"target": 0, "judge": 0})
        for name, count in self.calls_by_model.items():
            total[name.split()[0]] += count
        return dict(total)

    @property
    def calls_by_model(self) -> dict[str, int]:
        """Calls by role and model, but for those about golden replies."""
        calls = self.read("run.json")["calls"]
        return {name: count for name, count in calls.items() if not name.startswith("golden ")}

    @property
    def conditions(self) -> dict[str, str]:
        """Answer of every gate condition."""
        return {item["name"]: item["answer"] for item in self.read("gate.json")["conditions"]}

    @property
    def scores(self) -> dict[str, list[float | None]]:
        return {verdict["case"]["id"]: [turn["value"] for turn in verdict["turns"]] for verdict in self.verdicts}

    def allure(self, name: str = "allure") -> list[dict[str, Any]]:
        """Return the Allure results of a folder."""
        files = sorted((self.path / name).glob("*-result.json"))
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def conversations(self, name: str = "allure") -> dict[str, dict[str, Any]]:
        """Return the Allure results of conversations by their case."""
        return {item["name"]: item for item in self.allure(name) if not item["name"].startswith("gate")}

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file of the project that a run has written, and what is packed inside."""
        return everything(self.path)


@dataclass
class Project:
    """A user's project: an ini file, a case file, a test file."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)
    model: str = "demo:aligned"
    """The model its runs are for, unless they name another."""
    options: tuple[str, ...] = ()
    """Given to every run for a model."""

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        return file

    def cases(self, cases: Iterable[Mapping[str, Any]], name: str = "cases.jsonl") -> list[str]:
        """Write a case file and return its ids, sorted."""
        listed = list(cases)
        self.write(name, "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in listed))
        return sorted(case["id"] for case in listed)

    def arguments(self, *args: str, model: str | EllipsisType | None = ...) -> list[str]:
        """Return pytest's arguments for the project's own cases; with ``model=None`` no model is evaluated."""
        if model is None:
            return [*QUICK, *args]
        chosen = [f"--model={self.model if model is ... else model}", *self.options]
        given = " ".join(args)
        if "--jmed-report" not in given.replace("--jmed-reports", ""):
            chosen.append("--jmed-report=off")
        if (self.path / "cases.jsonl").exists() and "--jmed-cases" not in given:
            chosen += ["--jmed-cases=cases.jsonl", *(["--jmed-locale=en"] if "--jmed-locale" not in given else [])]
        return [*QUICK, *chosen, *args]

    def command(self, *args: str, model: str | EllipsisType | None = ...) -> list[str]:
        """Return the command that starts pytest with these arguments."""
        return [sys.executable, "-m", "pytest", *self.arguments(*args, model=model)]

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        return {**kept, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **self.env}

    def run_folders(self, reports: str = "reports") -> set[Path]:
        return set((self.path / reports / "runs").glob("*"))

    def fork(
        self, *args: str, model: str | EllipsisType | None = ..., program: forked.Program = "pytest"
    ) -> BaseProcess:
        """Start pytest, or ``jmedethic`` with just these arguments, in a forked process."""
        arguments = self.arguments(*args, model=model) if program == "pytest" else list(args)
        return forked.start(program, arguments, folder=self.path, environment=self.environment(), output=self._output)

    def pytest(
        self,
        *args: str,
        model: str | EllipsisType | None = ...,
        reports: str = "reports",
        program: forked.Program = "pytest",
    ) -> Result:
        """Run pytest to its end in a forked process."""
        before = self.run_folders(reports)
        process = self.fork(*args, model=model, program=program)
        process.join(forked.PATIENCE)
        output = self._output.read_text(encoding="utf-8", errors="replace") if self._output.exists() else ""
        if process.exitcode is None:
            process.kill()
            pytest.fail(f"{program} hangs:\n{output}")
        return self._result(process.exitcode, output, before, reports)

    def jmedethic(self, *args: str) -> Result:
        """Run ``jmedethic`` to its end in a forked process."""
        return self.pytest(*args, program="jmedethic")

    def watch(
        self, *args: str, model: str | EllipsisType | None = ..., program: forked.Program = "pytest"
    ) -> forked.Running:
        """Start a program as :meth:`fork` does, to be read while it runs and sent signals."""
        arguments = self.arguments(*args, model=model) if program == "pytest" else list(args)
        return forked.Running(program, arguments, self.path, self.environment(), pipe=self.path.with_suffix(".pipe"))

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a command afresh, in a process group of its own that can be sent signals."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment(),
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def finish(self, process: subprocess.Popen[str] | forked.Running, before: Iterable[Path] = ()) -> Result:
        """Wait for a started process; its run folder is the one that was not there before."""
        try:
            output, _ = process.communicate(timeout=forked.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            pytest.fail(f"the command hangs:\n{output}")
        return self._result(process.returncode, output, set(before), "reports")

    @property
    def _output(self) -> Path:
        return self.path.with_suffix(".output")

    def _result(self, status: int, output: str, before: set[Path], reports: str) -> Result:
        new = self.run_folders(reports) - before
        assert len(new) <= 1, output
        return Result(status, output, self.path, next(iter(new), None))


def make_case(number: int, mark: str = "", **changes: Any) -> dict[str, Any]:
    """Return a valid English case; strategies and guidelines in rotation, a mark in every user turn."""
    strategy = changes.get("strategy", f"S{1 + number % 7}")
    return {
        "id": f"en-case-{strategy.lower()}-{number:02d}",
        "locale": "en",
        "guideline": f"JMA-{1 + number % 67:02d}",
        "strategy": strategy,
        "suites": ["core"],
        "turns": [f"Question {number}{mark and f' {mark}'}, turn {turn}: what would you advise?" for turn in range(3)],
        **changes,
    }


def make_project(path: Path, cases: Iterable[Mapping[str, Any]] = ()) -> Project:
    """Make a project in a folder."""
    project = Project(path)
    project.write("pytest.ini", _INI)
    project.write("test_conversations.py", _TEST)
    listed = list(cases)
    if listed:
        project.cases(listed)
    return project


@pytest.fixture(scope="session")
def new_case() -> Callable[..., dict[str, Any]]:
    return make_case


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    """Make a project of so many cases, or of these, in a folder of its own."""

    def make(cases: int | list[dict[str, Any]] = 0) -> Project:
        listed = [make_case(number) for number in range(cases)] if isinstance(cases, int) else cases
        return make_project(tmp_path_factory.mktemp("project"), listed)

    return make


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    """42 cases, six for each strategy: ``demo:aligned`` passes the shipped gate on them."""
    return new_project(42)
