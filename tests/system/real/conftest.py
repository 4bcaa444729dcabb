"""A real model server for the tests of this folder: llama.cpp (PyPI: xllamacpp) with random weights."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from support import forked
from support.project import Result

ROOT = Path(__file__).resolve().parents[3]
CONTEXT = 8192
"""Tokens in one conversation; the longest judge prompt of the smoke suite has about 2,500."""
START_SECONDS = 60
JUDGEMENT = r'root ::= "{\"rationale\":\"" [ぁ-ん]{2,3} "\",\"score\":" ([2-9] | "10") "}"'
"""Makes random weights write what a judge should write; never a 1, which by chance would break a floor of 1.0."""


@dataclass(frozen=True)
class Server:
    """A running server, as the tests see it."""

    url: str

    def get(self, path: str) -> str:
        """Return the body behind a path."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON and return the decoded answer."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            decoded: dict[str, Any] = json.load(answer)
        return decoded

    def counted(self) -> dict[str, int]:
        """Return the tokens the server itself has counted since it started: a witness independent of our records."""
        lines = (line.split() for line in self.get("/metrics").splitlines() if not line.startswith("#"))
        counters = {name.removeprefix("llamacpp:"): float(value) for name, value in lines}
        prompt = counters["prompt_tokens_total"] + counters["prompt_tokens_cached_total"]
        return {"input": round(prompt), "output": round(counters["tokens_predicted_total"])}


def require_a_real_server() -> None:
    """Skip, and say so loudly, where llama.cpp is not installed."""
    missing = [name for name in ("xllamacpp", "gguf") if find_spec(name) is None]
    if missing:
        reason = f"NOT TESTED against a real server: {' and '.join(missing)} missing. Next: pip install -e '.[dev]'"
        warnings.warn(pytest.PytestWarning(reason), stacklevel=1)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def tiny_llama() -> Any:
    """The module that writes tiny models."""
    require_a_real_server()
    spec = spec_from_file_location("tiny_llama", Path(__file__).with_name("tiny_llama.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(folder: Path, *, grammar: str | None = None) -> Iterator[Server]:
    """Start a server, wait until it answers, stop it at the end."""
    require_a_real_server()
    texts = [
        ROOT / "benchmark_cases" / "core.ja.jsonl",
        *sorted((ROOT / "jmedethic_pytest" / "data" / "locales").glob("*/rubric.json")),
    ]
    wanted = {"folder": str(folder), "texts": list(map(str, texts)), "grammar": grammar, "context": CONTEXT}
    command = [sys.executable, str(Path(__file__).with_name("tiny_llama.py")), json.dumps(wanted)]
    log = folder / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
            line = process.stdout.readline() if ready else b""
            assert line, f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}"
            server = Server(json.loads(line)["url"])
            assert json.loads(server.get("/health")) == {"status": "ok"}
            yield server
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that writes noise until ``max_tokens``, unless a request brings a grammar or a schema."""
    with running(tmp_path_factory.mktemp("noisy")) as server:
        yield server


@pytest.fixture(scope="module")
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that writes a judgement with a random score, unless a request brings a grammar or a schema."""
    with running(tmp_path_factory.mktemp("judging"), grammar=JUDGEMENT) as server:
        yield server


@pytest.fixture(scope="session")
def smoke_cases() -> list[dict[str, Any]]:
    """The Japanese smoke suite, read without our loader."""
    lines = (ROOT / "benchmark_cases" / "core.ja.jsonl").read_text(encoding="utf-8").splitlines()
    return [case for case in map(json.loads, lines) if "smoke" in case["suites"]]


@pytest.fixture(scope="module")
def run_pytest(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """Run ``pytest --model=...`` in the repository, as a user does; the reports go to a folder outside of it.

    Random judges would prove nothing on golden replies: they are not tried.
    """

    def started(*arguments: str, reports: Path | None = None) -> Result:
        folder = reports or tmp_path_factory.mktemp("reports")
        ours = [f"--jmed-reports={folder}", "--jmed-report=off", "--jmed-no-golden", "-p", "no:cacheprovider"]
        # Without traces of the pytest that runs this test.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        output = tmp_path_factory.mktemp("output") / "pytest.txt"
        process = forked.start("pytest", [*ours, *arguments], folder=ROOT, environment=environment, output=output)
        process.join(forked.PATIENCE)
        assert process.exitcode is not None, output.read_text(encoding="utf-8")
        return Result(process.exitcode, output.read_text(encoding="utf-8"), folder, folder / "latest")

    return started


@pytest.fixture(scope="module")
def run_command(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Result]:
    """Run ``jmedethic ...`` in this process: a dozen fresh ones would spend half a minute on imports.

    With ``golden`` the random judges are tried on golden replies first. Nobody here reads the report of a run.
    """

    def started(*arguments: str, reports: Path | None = None, golden: bool = False) -> Result:
        from jmedethic_pytest.cli.main import main

        if arguments[0] == "run":
            arguments = (*arguments, "--report=off", *([] if golden else ["--no-golden"]))
        folder = reports or tmp_path_factory.mktemp("reports")
        text = io.StringIO()
        status: Any = 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(text), redirect_stderr(text):
            patch.setattr(sys, "argv", ["jmedethic", *arguments, "--reports", str(folder)])
            try:
                main()
            except SystemExit as end:
                status = end.code or 0
        return Result(int(status), text.getvalue(), folder, folder / "latest")

    return started
