"""A throw-away project with small case files, and pytest started in it in a process of its own.

A bare pytest spends two seconds of CPU on imports. Here most runs are forked from a helper process that has imported
everything already but run nothing; runs that are to be sent signals are started afresh.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 120.0
"""Seconds after which a hanging run is killed; no run comes near it."""
_OURS = (
    "PYTEST_",
    "GITHUB_",
    "GITLAB_",
    "JMED",
    "OPENAI_",
    "ANTHROPIC_",
    "OPENROUTER_",
    "DEEPSEEK_",
    "GEMINI_",
    "VLLM_",
    "OLLAMA_",
)
_QUICK = ("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:pytest_httpserver")
"""Plugins of other packages that cost every process a second of CPU and have no part in these runs."""
_FORKED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The helper has imported the plugins before pytest could rewrite their asserts; that matters to nobody."""
_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(
    [
        "pytest",
        "xdist.plugin",
        "pytest_asyncio.plugin",
        "allure_pytest.plugin",
        "pandas.core.groupby",
        "execnet",
        "multiprocessing.connection",
        "openai",
        "jmedethic_pytest.run.running",
        "jmedethic_pytest.pytest_plugin.session",
        "jmedethic_pytest.run.prepare",
        "jmedethic_pytest.gate.conditions",
        "jmedethic_pytest.reports.allure",
    ]
)
_INI = """\
[pytest]
addopts = --strict-markers
markers =
    nightly: chosen with -m
asyncio_default_fixture_loop_scope = function
"""
_TEST = """\
from jmedethic_pytest import check


def test_conversation(verdict):
    check(verdict)
"""


def make_case(number: int, **changes: Any) -> dict[str, Any]:
    """Return a valid English case; strategies and guidelines in rotation."""
    strategy = changes.get("strategy", f"S{1 + number % 7}")
    return {
        "id": f"en-case-{strategy.lower()}-{number:02d}",
        "locale": "en",
        "guideline": f"JMA-{1 + number % 67:02d}",
        "strategy": strategy,
        "suites": ["core"],
        "turns": [f"Question {number}, turn {turn}: what would you advise?" for turn in range(3)],
        **changes,
    }


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    output: str
    run: Path | None
    """The run folder it wrote, if it wrote one."""

    def read(self, name: str) -> dict[str, Any]:
        assert self.run is not None, self.output
        return json.loads((self.run / name).read_text(encoding="utf-8"))

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        assert self.run is not None, self.output
        lines = (self.run / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def ids(self) -> list[str]:
        """Case ids in verdicts.jsonl, sorted; a case stored twice stands there twice."""
        return sorted(verdict["case"]["id"] for verdict in self.verdicts)

    @property
    def calls(self) -> dict[str, int]:
        """Calls by role."""
        total: Counter[str] = Counter({"target": 0, "judge": 0})
        for name, count in self.read("run.json")["calls"].items():
            total[name.split()[0]] += count
        return dict(total)

    @property
    def conditions(self) -> dict[str, str]:
        """Answer of every gate condition."""
        return {item["name"]: item["answer"] for item in self.read("gate.json")["conditions"]}

    @property
    def scores(self) -> dict[str, list[float | None]]:
        return {verdict["case"]["id"]: [turn["value"] for turn in verdict["turns"]] for verdict in self.verdicts}


@dataclass
class Project:
    """A user's project: an ini file, a case file, a test file."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        return file

    def cases(self, cases: list[dict[str, Any]], name: str = "cases.jsonl") -> list[str]:
        """Write a case file and return its ids, sorted."""
        self.write(name, "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases))
        return sorted(case["id"] for case in cases)

    def arguments(self, *args: str, model: str | None = "demo:aligned") -> list[str]:
        """Return pytest's arguments for the project's own cases."""
        chosen = [f"--model={model}"] if model is not None else []
        given = " ".join(args)
        if model is not None and "--jmed-report" not in given.replace("--jmed-reports", ""):
            chosen.append("--jmed-report=off")
        if model is not None and (self.path / "cases.jsonl").exists() and "--jmed-cases" not in given:
            chosen += ["--jmed-cases=cases.jsonl", *(["--jmed-locale=en"] if "--jmed-locale" not in given else [])]
        return [*_QUICK, *chosen, *args]

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        return {**kept, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **self.env}

    def run_folders(self, reports: str = "reports") -> set[Path]:
        return set((self.path / reports / "runs").glob("*"))

    def pytest(self, *args: str, model: str | None = "demo:aligned", reports: str = "reports") -> Result:
        """Run pytest to its end in a forked process."""
        before = self.run_folders(reports)
        output = self.path.with_suffix(".output")
        job = {
            "folder": str(self.path),
            "environment": self.environment(),
            "arguments": [*_FORKED, *self.arguments(*args, model=model)],
            "output": str(output),
        }
        script = str(Path(__file__).with_name("forked_pytest.py"))
        process = _FORK.Process(target=runpy.run_path, args=(script, {"JOB": job}, "__main__"))
        process.start()
        process.join(TIMEOUT)
        if process.is_alive():
            process.kill()
            pytest.fail(f"pytest hangs:\n{output.read_text(errors='replace')}")
        assert process.exitcode is not None
        return self._result(process.exitcode, output.read_text(encoding="utf-8", errors="replace"), before, reports)

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

    def finish(self, process: subprocess.Popen[str], before: set[Path]) -> Result:
        """Wait for a started process; its run folder is the one that was not there before."""
        try:
            output, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            pytest.fail(f"the command hangs:\n{output}")
        return self._result(process.returncode, output, before, "reports")

    def _result(self, status: int, output: str, before: set[Path], reports: str) -> Result:
        new = self.run_folders(reports) - before
        assert len(new) <= 1, output
        return Result(status, output, next(iter(new), None))


@pytest.fixture(scope="session")
def new_case() -> Callable[..., dict[str, Any]]:
    return make_case


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    """Make a project of so many cases in a folder of its own."""

    def make(cases: int = 0) -> Project:
        project = Project(tmp_path_factory.mktemp("project"))
        project.write("pytest.ini", _INI)
        project.write("test_conversations.py", _TEST)
        if cases:
            project.cases([make_case(number) for number in range(cases)])
        return project

    return make


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    """42 cases, six for each strategy: ``demo:aligned`` passes the shipped gate on them."""
    return new_project(42)


class ChatServer(ThreadingHTTPServer):
    """An OpenAI-compatible server that answers every target and every judge, and can be told to hold its answers."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.answered = 0
        self.allowance: int | None = None
        """Requests still to be answered; ``None`` for all."""
        self.holding = threading.Event()
        """Set when a request came that has to wait."""
        self.released = threading.Event()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def may_answer(self) -> bool:
        with self.lock:
            if self.allowance is not None and self.answered >= self.allowance:
                return False
            self.answered += 1
            return True

    def release(self) -> None:
        self.allowance = None
        self.released.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def log_message(self, *args: Any) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.may_answer():
            self.server.holding.set()
            self.server.released.wait(TIMEOUT)
            self.close_connection = True
            return
        judging = "TRANSCRIPT" in body["messages"][-1]["content"]
        content = json.dumps({"score": 9}) if judging else "A careful reply."
        answer = {
            "model": body["model"],
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    server = ChatServer()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.release()
    server.shutdown()
    server.server_close()
