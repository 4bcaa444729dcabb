"""Runs against a hostile local server: what it says, and what the user keeps secret, must stay where it belongs."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

KEY = "sk-planted-KEY-1f9c2d77aa"
PASSWORD = "planted-Pass-word-88ab"
QUERY = "planted-query-token-52ce"
EXTRA = "planted-extra-token-77de"
SECRETS = (KEY, PASSWORD, QUERY, EXTRA)

REPLY, REASON, THOUGHT = "ZEBRA-REPLY-7731", "ZEBRA-REASON-5512", "ZEBRA-THOUGHT-9921"
MODEL_TEXTS = (REPLY, REASON, THOUGHT)
HOSTILE = (
    f"{REPLY}<script>window.hacked=1;document.title='hacked'</script></textarea></pre></div>"
    f"<img src=x onerror='window.hacked=2'>![x](https://evil.example/x.png)\n=HYPERLINK(\"https://evil.example\")\n"
    "\x1b[2J\x1b]0;owned\x07 \u202eesrever\u202c {{ 7*7 }} | a | b |\n::error::forged\r\x00 end"
)
REASON_TEXT = f"{REASON}</td><script>window.hacked=3</script> `code` \x1b[31m"
LONG = "x" * 1_000_000
_PACKED = re.compile(rb'<script type="application/octet-stream" id="[\w-]+">([A-Za-z0-9+/=]+)</script>')
"""What report.html holds: base64 of raw deflate."""

_TEST = """\
from jmedethic_pytest import check


def test_conversation(verdict):
    check(verdict)
"""
_THRESHOLDS = """\
schema_version = 1
[target]
extra = {{ meta_token = "{extra}" }}
[providers.gateway]
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"
api_key_env = "GATEWAY_KEY"
"""


class HostileServer(ThreadingHTTPServer):
    """Answers targets with hostile text, judges with hostile reasons; some conversations meet trouble of every kind."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = json.dumps(body["messages"], ensure_ascii=False)
        judging = "judge" in body["model"]
        status, answer = self._judge(asked) if judging else self._target(body, asked)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _target(self, body: dict[str, Any], asked: str) -> tuple[int, Any]:
        turn = len(body["messages"]) // 2
        if "MARK-ECHO" in asked and turn == 1:
            sent = {key: value for key, value in body.items() if key != "messages"}
            said = json.dumps(body["messages"][-2:], ensure_ascii=False)
            echo = f"{self.headers['Authorization']} {self.path} {sent} {said}"
            return 400, {"error": {"message": f"cannot use: {echo}"}}
        if "MARK-SHAPE" in asked and turn == 1:
            return 200, {"choices": [{"message": {"content": {"odd": HOSTILE}}}], "usage": {}}
        text = HOSTILE + (LONG if "MARK-LONG" in asked and turn == 2 else "")
        message = {"role": "assistant", "content": text, "reasoning_content": f"{THOUGHT} {KEY}"}
        return 200, _answer(body["model"], message)

    @staticmethod
    def _judge(asked: str) -> tuple[int, Any]:
        if "MARK-PROSE" in asked:
            return 200, _answer("judge", {"content": f"I will not give a number. {REASON_TEXT}"})
        score = 1 if "MARK-LOW" in asked else 9
        return 200, _answer("judge", {"content": json.dumps({"score": score, "rationale": REASON_TEXT})})


def _answer(model: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": model,
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", **message}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }


def make_case(number: int, mark: str = "", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"en-case-{number:02d}",
        "locale": "en",
        "guideline": f"JMA-{1 + number % 5:02d}",
        "strategy": f"S{1 + number % 7}",
        "suites": ["core"],
        "turns": [f"Question {number} {mark}, turn {turn}: what would you advise?" for turn in range(3)],
        **changes,
    }


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    output: str
    folder: Path

    @property
    def run(self) -> Path:
        return (self.folder / "reports" / "latest").resolve()

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        lines = (self.run / "verdicts.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def allure(self, name: str = "allure") -> list[dict[str, Any]]:
        """Return the Allure results of a folder."""
        files = sorted((self.folder / name).glob("*-result.json"))
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def conversations(self, name: str = "allure") -> dict[str, dict[str, Any]]:
        """Return the Allure results of conversations by their case."""
        return {item["name"]: item for item in self.allure(name) if not item["name"].startswith("gate")}

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file the run has written, and what is packed inside; the user's own files are not among them."""
        given = {"cases.jsonl", "test_conversations.py", "thresholds.toml", "pytest.ini"}
        for path in sorted(self.folder.rglob("*")):
            if not path.is_file() or path.name in given or "latest" in path.parts:
                continue
            name, data = str(path.relative_to(self.folder)), path.read_bytes()
            yield name, data
            yield from ((f"{name}!{part}", inner) for part, inner in _unpacked(path, data))


def _unpacked(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from ((name, packed.read(name)) for name in packed.namelist())
    if path.suffix == ".html":
        for number, block in enumerate(_PACKED.findall(data)):
            yield str(number), zlib.decompress(base64.b64decode(block), wbits=-15)
    if path.name == "cache.sqlite":
        for number, (value,) in enumerate(sqlite3.connect(path).execute("SELECT value FROM reply")):
            yield str(number), value if value[:1] == b"{" else zlib.decompress(value)


def run_in(folder: Path, *args: str, program: str = "pytest", **environment: str) -> Result:
    """Run pytest or the command in a folder of its own."""
    ours = ("PYTEST_", "JMED", "OPENAI_", "GITHUB_", "GITLAB_", "CI")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    quick = ["-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:pytest_httpserver"] if program == "pytest" else []
    done = subprocess.run(
        [sys.executable, "-m", program, *quick, *args],
        cwd=folder,
        check=False,
        capture_output=True,
        timeout=150,
        env={**kept, "COLUMNS": "160", "NO_COLOR": "1", "GATEWAY_KEY": KEY, **environment},
    )
    output = (done.stdout + done.stderr).decode(errors="replace")
    return Result(done.returncode, output, folder)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, Callable[[], Result]], Result]:
    """Make a run once for all processes of the session: each costs seconds."""
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent

    def get(name: str, make: Callable[[], Result]) -> Result:
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = root / f"{name}.json"
            if not kept.exists():
                made = make()
                kept.write_text(json.dumps([made.status, made.output, str(made.folder)]))
            status, output, folder = json.loads(kept.read_text())
            return Result(status, output, Path(folder))

    return get


@pytest.fixture(scope="session")
def planted() -> SimpleNamespace:
    """What must not turn up, and where it may."""
    return SimpleNamespace(
        secrets=SECRETS,
        key=KEY,
        password=PASSWORD,
        query=QUERY,
        extra=EXTRA,
        texts=MODEL_TEXTS,
        reply=REPLY,
        reason=REASON,
        thought=THOUGHT,
        hostile=HOSTILE,
        reason_text=REASON_TEXT,
        long=LONG,
        marks=MARKS,
    )


@pytest.fixture(scope="session")
def run_project() -> Callable[..., Result]:
    """Run pytest, or another module, in a folder."""
    return run_in


@pytest.fixture(scope="session")
def numbered_case() -> Callable[..., dict[str, Any]]:
    """Make a valid English case from a number."""
    return make_case


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a project with its cases in a folder of its own."""

    def make(cases: list[dict[str, Any]]) -> Path:
        folder = tmp_path_factory.mktemp("project")
        (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
        (folder / "test_conversations.py").write_text(_TEST)
        lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
        (folder / "cases.jsonl").write_text(lines, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def hostile_server() -> Iterator[HostileServer]:
    server = HostileServer()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


MARKS = ("", "MARK-LOW", "MARK-ECHO", "MARK-SHAPE", "MARK-PROSE", "MARK-LONG", "MARK-LOW", "")
OPTIONS = ("--jmed-cases=cases.jsonl", "--jmed-locale=en", "--alluredir=allure", "--junitxml=junit.xml", "-v", "-l")


def hostile_arguments(server: HostileServer) -> list[str]:
    """Return the options of a run against the hostile server, with a secret in each place that can hold one."""
    base = f"http://127.0.0.1:{server.server_port}/v1?token={QUERY}"
    judges = f"compatible:judge-a@{base},gateway:judge-b"
    return ["--model=gateway:target", f"--jmed-base-url={base}", f"--jmed-judges={judges}", *OPTIONS]


@pytest.fixture(scope="session")
def hostile_project(new_project: Callable[..., Path], hostile_server: HostileServer) -> Callable[[], Path]:
    """Make a project whose conversations meet every kind of trouble."""

    def make() -> Path:
        folder = new_project([make_case(number, mark) for number, mark in enumerate(MARKS)])
        rules = _THRESHOLDS.format(extra=EXTRA, port=hostile_server.server_port)
        (folder / "thresholds.toml").write_text(rules)
        return folder

    return make


@pytest.fixture(scope="session")
def hostile_run(once: Callable[..., Result], hostile_project: Any, hostile_server: HostileServer) -> Result:
    """A whole run with every report there is; the same for all tests, which only read it."""
    arguments = [*hostile_arguments(hostile_server), "-n", "2", "--log-level=DEBUG"]
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "step.md"}
    return once("hostile", lambda: run_in(hostile_project(), *arguments, **ci))


@pytest.fixture(scope="session")
def redacted_run(once: Callable[..., Result], hostile_project: Any, hostile_server: HostileServer) -> Result:
    """The same with ``--jmed-redact``, in one process."""
    arguments = [*hostile_arguments(hostile_server), "--jmed-redact", "--log-level=DEBUG"]
    return once("redacted", lambda: run_in(hostile_project(), *arguments))
