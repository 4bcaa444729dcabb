"""A program on this machine that reads a file of requests and writes one of answers, such as ``vllm run-batch``.

It goes on when whoever began it is killed, and holds a lock as long as it lives: so anybody can tell whether it does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ProviderError, StoreError
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.models.base import ModelRef
from jmedethic_pytest.models.batches.base import Answer, Limits, Pending, Standing, dumped, objects
from jmedethic_pytest.models.batches.files import answer

_ROUTE = "/v1/chat/completions"
_LAST_BYTES = 16_000
_TROUBLE = re.compile(r"\b(error|exception|failed|cannot|unable|out of memory|not found|no such)\b", re.IGNORECASE)
_LONGEST = 200
"""Characters that are shown of it."""


class Command:
    """The interface of a program.

    Args:
        ref: the model; its dialect names the program.
        folder: where its files lie while it runs; they hold texts of models.
    """

    limits = Limits(lines=200_000, bytes=2**27)
    alone = True

    def __init__(self, ref: ModelRef, folder: Path) -> None:
        self._ref = ref
        self._folder = folder
        self._begun: dict[str, subprocess.Popen[bytes]] = {}

    def line(self, key: str, body: dict[str, Any]) -> bytes:
        """Return a request as a line (see :class:`jmedethic_pytest.models.batches.base.Interface`, as for all)."""
        return dumped({"custom_id": key, "method": "POST", "url": _ROUTE, "body": body})

    async def send(self, pending: Pending, lines: Sequence[bytes], uploaded: Callable[[str], None]) -> str:  # noqa: ARG002
        """Write the file and start the program."""
        name = pending.name
        self._path(name, "out").unlink(missing_ok=True)
        try:
            files.replace(self._path(name, "in"), b"\n".join(lines) + b"\n", private=True)
        except StoreError as error:
            raise ProviderError(str(error), fatal=True) from None
        lock = os.open(self._path(name, "lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begun[name] = self._started(name, lock)
            os.pwrite(lock, f"{self._begun[name].pid}\n".encode(), 0)
        finally:
            os.close(lock)  # the program has its own
        return name

    async def find(self, pending: Pending) -> str | None:
        """Return it if it runs, or has written something."""
        return pending.name if self._lives(pending.name) or self._size(pending.name) else None

    async def standing(self, batch: str) -> Standing:
        """Look whether it runs, and what it has written."""
        if batch in self._begun:
            self._begun[batch].poll()
        over = not self._lives(batch)
        trouble = ""
        if over and not self._size(batch):
            said = self._last_words(batch)
            trouble = f"{self._ref.dialect.batch_command!r} ended without an answer{f': {said}' if said else ''}"
        answered = sum(1 for _ in objects(self._content(batch)))
        return Standing("over" if over else "running", over, answered, trouble)

    async def answers(self, batch: str) -> AsyncIterator[Answer]:
        """Read what it has written."""
        for item in objects(self._content(batch)):
            yield answer(item)

    async def cancel(self, batch: str) -> None:
        """End it."""
        if self._lives(batch):
            with contextlib.suppress(OSError, ValueError):
                os.killpg(int(self._path(batch, "lock").read_bytes()), signal.SIGTERM)

    def clear(self, batch: str) -> None:
        """Remove its files."""
        self._begun.pop(batch, None)
        for kind in ("in", "out", "log", "lock"):
            self._path(batch, kind).unlink(missing_ok=True)

    def _started(self, name: str, lock: int) -> subprocess.Popen[bytes]:
        where = ["-i", str(self._path(name, "in")), "-o", str(self._path(name, "out"))]
        command = [*shlex.split(self._ref.dialect.batch_command), *where, "--model", self._ref.asked_as]
        with self._path(name, "log").open("wb") as log:
            try:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(lock,),
                )
            except OSError as error:
                raise ProviderError(
                    f"{self._ref.label}: {command[0]!r} cannot be started ({error.strerror}). Next: install it, or "
                    f"give another program as batch_command of [providers.{self._ref.provider}]",
                    fatal=True,
                ) from None

    def _lives(self, name: str) -> bool:
        try:
            lock = os.open(self._path(name, "lock"), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _size(self, name: str) -> int:
        path = self._path(name, "out")
        return path.stat().st_size if path.is_file() else 0

    def _content(self, name: str) -> bytes:
        path = self._path(name, "out")
        return path.read_bytes() if path.is_file() else b""

    def _last_words(self, name: str) -> str:
        """Return the last line of its log that tells of trouble; others may hold what it was asked."""
        path = self._path(name, "log")
        lines = path.read_bytes()[-_LAST_BYTES:].decode(errors="replace").splitlines() if path.is_file() else []
        said = [line.strip() for line in lines if _TROUBLE.search(line)]
        return one_line(self._ref.secrets.hide(said[-1]), _LONGEST) if said else ""

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"
