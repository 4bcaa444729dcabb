"""Where worker processes ask the controller's run for verdicts.

One persistent connection per worker over a local socket with a random key; messages are JSON bytes, nothing is
unpickled. A worker that dies takes nothing with it: the verdict it waited for is stored all the same.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import threading
import time
from concurrent.futures import CancelledError
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from typing import Any, Protocol

from jmedethic_pytest.core.errors import ConfigError, JmedError, RunAborted, StoppedEarly
from jmedethic_pytest.core.records import Case, Verdict


class VerdictSource(Protocol):
    """Whoever answers for verdicts: the run where it lives, the broker's client in a worker."""

    def plan(self, keys: list[str]) -> None:
        """Give the order of the tests; only the first plan counts."""

    def verdict(self, key: str) -> Verdict:
        """Wait for a planned evaluation."""

    def evaluate(self, case: Case) -> Verdict:
        """Evaluate a case of a test's own and wait."""


_LONGEST_ADDRESS = 100
"""Bytes of a socket's path that every system allows."""
_SHORT = "/tmp"  # noqa: S108 - only its name is known beforehand: mkdtemp makes a private folder in it
_BREATH = 0.1
"""Seconds to wait where no connection can be accepted, as with no file descriptor left."""


class Broker:
    """Serves a run to worker processes.

    Args:
        source: the run.
    """

    def __init__(self, source: VerdictSource) -> None:
        self._source = source
        self._planned = False
        self._closed = False
        self.authkey = secrets.token_bytes(32)
        self._folder = _private_folder()
        self.address = os.path.join(self._folder, "broker")
        self._listener = Listener(self.address, family="AF_UNIX", backlog=128)
        threading.Thread(target=self._accept, name="jmedethic-broker", daemon=True).start()

    def close(self) -> None:
        """Stop accepting workers."""
        self._closed = True
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except OSError:
                time.sleep(_BREATH)
                continue
            threading.Thread(target=self._serve, args=(connection,), name="jmedethic-worker", daemon=True).start()

    def _serve(self, connection: Connection[bytes, bytes]) -> None:
        with connection:
            try:  # Here and not while accepting: a stranger who says nothing must not keep the workers out.
                deliver_challenge(connection, self.authkey)
                answer_challenge(connection, self.authkey)
            except (AuthenticationError, EOFError, OSError):
                return
            while True:
                try:
                    question = json.loads(connection.recv_bytes())
                    connection.send_bytes(self._answer(question))
                except (EOFError, OSError):
                    return

    def _answer(self, question: dict[str, Any]) -> bytes:
        try:
            match question:
                case {"planned": True}:
                    return json.dumps({"planned": self._planned}).encode()
                case {"plan": list(keys)}:
                    self._source.plan(keys)
                    self._planned = True
                    return b"{}"
                case {"verdict": str(key)}:
                    return _pack(self._source.verdict(key))
                case {"evaluate": case}:
                    return _pack(self._source.evaluate(Case.model_validate(case)))
                case _:
                    return json.dumps({"refused": f"unknown question {question!r}"}).encode()
        except (RunAborted, CancelledError) as error:
            return json.dumps({"aborted": str(error) or "the run was stopped"}).encode()
        except StoppedEarly as stop:
            return json.dumps({"stopped": str(stop)}).encode()
        except (JmedError, ValueError) as error:
            return json.dumps({"refused": str(error)}).encode()


def _private_folder() -> str:
    """Return a new folder that nobody else may enter, at a path short enough for a socket."""
    long = len(os.fsencode(tempfile.gettempdir())) > _LONGEST_ADDRESS - 30
    return tempfile.mkdtemp(prefix="jmedethic-", dir=_SHORT if long else None)


def _pack(verdict: Verdict) -> bytes:
    return b'{"verdict":' + verdict.model_dump_json().encode() + b"}"


class BrokerClient:
    """A worker's side of the connection.

    Raises:
        RunAborted: from every method, if the controller is gone or has given the run up.
        StoppedEarly: if a planned evaluation is asked for that stands beyond the look which decided the run.
        ConfigError: if the controller cannot use what it was sent, such as a case with an unknown guideline.
    """

    def __init__(self, address: str, authkey: bytes) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = Client(address, family="AF_UNIX", authkey=authkey)
        except (OSError, EOFError) as error:
            text = (
                f"this worker cannot reach the controller ({type(error).__name__}: {error}). Workers must run on the "
                "controller's host: use -n, and scale with --jmed-concurrency, which does not need more workers."
            )
            raise RunAborted(text) from None

    def plan(self, keys: list[str]) -> None:
        """Send the order of the tests, unless another worker did already."""
        if not self._ask({"planned": True})["planned"]:
            self._ask({"plan": keys})

    def verdict(self, key: str) -> Verdict:
        """Wait for a planned evaluation."""
        return Verdict.model_validate(self._ask({"verdict": key})["verdict"])

    def evaluate(self, case: Case) -> Verdict:
        """Have the controller evaluate a case of the test's own."""
        return Verdict.model_validate(self._ask({"evaluate": case.model_dump(mode="json")})["verdict"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            with self._lock:
                self._connection.send_bytes(json.dumps(question).encode())
                answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (OSError, EOFError):
            text = "the controller process is gone; what it finished is stored, and the same command resumes the run."
            raise RunAborted(text) from None
        if "aborted" in answer:
            raise RunAborted(answer["aborted"])
        if "stopped" in answer:
            raise StoppedEarly(answer["stopped"])
        if "refused" in answer:
            raise ConfigError(answer["refused"])
        return answer
