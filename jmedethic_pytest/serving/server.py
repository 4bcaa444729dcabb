"""The server of a run: started, waited for, watched, and stopped whatever happens.

A supervisor process of its own starts it and holds on to a pipe of this process: when this one ends, in whatever way,
the pipe is closed and the supervisor ends the server.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.serving.plan import Plan

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_LOOK_SECONDS = 0.1
_LONGEST_LOOK = 2.0
_ANSWER_SECONDS = 5.0
_VERSION_SECONDS = 60.0
_SHOWN, _LONGEST = 12, 200
"""Lines of the log that a message shows, and characters of each."""
_READ = 64 * 1024
_PORTS = (10_240, 32_768)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks without the environment's proxies."""


class Server:
    """A server that is ready.

    Args:
        plan: what it serves, and how.
        log: the file for all that it prints.
        kept: where the log is copied if it does not become ready.
        quiet: whether nothing may be kept of what it prints once it has been asked: that may be text of a model.

    Raises:
        ConfigError: if it does not become ready; nothing of it is left then.
    """

    def __init__(self, plan: Plan, log: Path, kept: Path, *, quiet: bool = False) -> None:
        self.log = log
        self._kept = kept
        self._plan = plan
        self._stopping = False
        self._port = _Port()
        port = self._port.number
        self.address = f"http://127.0.0.1:{port}/v1"
        self._process = self._start(plan.command(port))
        try:
            self._await_ready(f"http://127.0.0.1:{port}{plan.row['health']}")
            self.version = plan.version or _version(plan.version_command())
            self._check()
            if quiet:
                log.unlink()
        except BaseException:
            self.stop()
            raise

    def watch(self, on_death: Callable[[str], None]) -> None:
        """Call a function, in a thread of its own, if the server ends before it is stopped; it is told why."""

        def wait() -> None:
            status = self._process.wait()
            if not self._stopping:
                on_death(f"the server of this run ({self._plan.engine}) {_ended(status)}.{self._last_words()}")

        threading.Thread(target=wait, name="jmedethic-server", daemon=True).start()

    def stop(self) -> None:
        """End it, and wait until nothing of it is left. May be called again."""
        self._stopping = True
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(self._plan.table.stop_seconds + 15.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._port.free()

    @property
    def supervisor(self) -> int:
        """The process that keeps it alive, and ends when it does."""
        return self._process.pid

    def tell(self, run: Path) -> None:
        """Hear where the run's folder is; the log lies there already."""

    @property
    def last_lines(self) -> list[str]:
        """The end of its log."""
        with contextlib.suppress(OSError), self.log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _READ))
            lines = stream.read().decode(errors="replace").splitlines()
            return [one_line(line, _LONGEST) for line in lines if line.strip()][-_SHOWN:]
        return []

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        seconds = str(self._plan.table.stop_seconds)
        return subprocess.Popen(
            [sys.executable, "-I", str(_SUPERVISOR), str(self.log), seconds, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in self._plan.withheld},
            start_new_session=True,  # Ctrl-C is for the run, which then lets conversations finish
        )

    def _await_ready(self, health: str) -> None:
        begun, pause = time.monotonic(), _LOOK_SECONDS
        while not _answers(health):
            if self._process.poll() is not None:
                raise self._failed(f"{_ended(self._process.returncode)} while it started")
            if time.monotonic() - begun > self._plan.table.ready_seconds:
                seconds = f"{self._plan.table.ready_seconds:g} s ([serve] ready_seconds)"
                raise self._failed(f"was not ready after {seconds}; asked was {health}")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK)
        if self._process.poll() is not None:  # somebody else answered
            raise self._failed(f"{_ended(self._process.returncode)} while it started")

    def _check(self) -> None:
        """Refuse a server that does not have room for what its plan asks."""
        row = next((row for row in _listed(self.address) if row.get("id") == self._plan.ref.asked), {})
        room = row.get("max_model_len") or (row.get("meta") or {}).get("n_ctx")
        wanted = self._plan.context
        if isinstance(room, int) and wanted is not None and room < wanted and not self._plan.row.get("context"):
            raise ConfigError(
                f"--jmed-serve: the server has room for {room:,} tokens, and the conversations of this run may need "
                f"{wanted:,}. Give it more (in [serve] command or flags), or lower [target] max_tokens."
            )

    def _failed(self, how: str) -> ConfigError:
        lines = [f"  | {line}" for line in self.last_lines] or ["  | (it printed nothing)"]
        with contextlib.suppress(OSError):
            shutil.copyfile(self.log, self._kept)
        return ConfigError(
            [
                f"--jmed-serve: the server ({self._plan.engine}) {how}. Its last lines:",
                *lines,
                "Next: mend what it says ([serve] flags of the thresholds file are given to it). All that it printed: "
                f"{self._kept}",
            ]
        )

    def _last_words(self) -> str:
        lines = self.last_lines[-4:]
        return f" Its last lines: {' | '.join(lines)}" if lines else ""


class _Port:
    """A port of 127.0.0.1 that no other run of this machine will take while this one has it.

    It is none of those that the system gives to connections: one of them could have it before the server does, and
    whoever polls such a port may even be connected to itself.
    """

    def __init__(self) -> None:
        while True:
            self.number = random.SystemRandom().randrange(*_PORTS)
            self._claim = socket.socket(socket.AF_UNIX)
            with socket.socket() as tried, contextlib.suppress(OSError):
                if sys.platform == "linux":  # a name that is free again when this process ends
                    self._claim.bind(f"\0jmedethic-port-{self.number}")
                tried.bind(("127.0.0.1", self.number))
                return
            self._claim.close()

    def free(self) -> None:
        """Let others have it."""
        self._claim.close()


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _listed(address: str) -> list[dict[str, Any]]:
    """Return what a server lists of its models; nothing if it does not."""
    try:
        with _DIRECT.open(f"{address}/models", timeout=_ANSWER_SECONDS) as answer:
            found = json.load(answer)
        return [row for row in found["data"] if isinstance(row, dict)]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return []


def _version(command: list[str]) -> str | None:
    """Return what a program says of its version: the last word that it prints."""
    if not command:
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    return one_line(words[-1], 60) if words and done.returncode == 0 else None


def _ended(status: int) -> str:
    return f"was killed by signal {status - 128}" if status > 128 else f"ended with status {status}"
