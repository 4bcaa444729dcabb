"""One attempt at a step: a process of its own, with a log, under a lock that lasts as long as the process does.

Whoever is killed leaves its processes behind, and they go on. The lock is theirs too: whoever comes next sees that the
step is being taken, and waits for its result instead of paying for it a second time. Where a file system has no locks
the scheduler alone keeps two processes from one step.
"""

from __future__ import annotations

import fcntl
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from pydantic import ValidationError

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.store.runs import now

_TAIL = 256 * 1024


class Ending(Record):
    """How the last attempt at a step ended; whether its result is there is asked of the store."""

    status: int
    """Exit status of the process; below 0 the signal that killed it."""
    started: str
    ended: str
    host: str
    command: tuple[str, ...]


@dataclass
class Attempt:
    """A process that takes a step."""

    place: Path
    """Its files (:func:`beside`)."""
    process: subprocess.Popen[bytes]
    command: tuple[str, ...]
    started: str
    lock: IO[bytes]

    def end(self) -> int:
        """Wait for the process, write how it ended, and return that."""
        status = self.process.wait()
        ending = Ending(
            status=status, started=self.started, ended=now(), host=socket.gethostname(), command=self.command
        )
        files.replace(beside(self.place, ".json"), files.as_json(ending.model_dump(mode="json")))
        self.lock.close()
        return status


def beside(place: Path, ending: str) -> Path:
    """Return one of the files of a step: ``.log``, ``.lock``, ``.json`` (how it ended)."""
    return place.with_name(place.name + ending)


def begin(
    place: Path, command: Sequence[str], home: Path, done: Callable[[], bool]
) -> Attempt | Literal["done", "busy"]:
    """Begin a step, unless it is done, or another process is busy with it.

    Args:
        place: its files, but for their endings.
        command: arguments of ``jmedethic``.
        home: where it runs.
        done: whether its result is there; asked when nobody else can be at it.

    Raises:
        StoreError: if its files cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = beside(place, ".lock").open("ab")
        if not _taken(lock):
            lock.close()
            return "busy"
        if done():
            lock.close()
            return "done"
        started = now()
        with beside(place, ".log").open("ab") as log:
            log.write(f"== {started} {socket.gethostname()}: jmedethic {shlex.join(command)}\n".encode())
            log.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", "jmedethic_pytest", *command],
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock.fileno(),),
            )
    except OSError as error:
        raise StoreError(f"{place}: cannot be written: {error.strerror}. Free space, or give another folder.") from None
    return Attempt(place, process, tuple(command), started, lock)


def is_taken(place: Path) -> bool:
    """Tell whether a process is at a step, as far as the file system knows."""
    try:
        with beside(place, ".lock").open("rb") as lock:
            return not _taken(lock)
    except OSError:
        return False


def ending(place: Path) -> Ending | None:
    """Return how the last attempt ended; ``None`` if there was none, or it was killed with whoever watched it."""
    try:
        return Ending.model_validate_json(files.read(beside(place, ".json")))
    except (OSError, ValidationError):
        return None


def forget(place: Path) -> None:
    """Remove how the last attempt ended: another is to begin elsewhere, and its ending is waited for."""
    beside(place, ".json").unlink(missing_ok=True)


def printed(place: Path, most: int = _TAIL) -> str:
    """Return what the last attempt printed, its end at least; empty if there was none.

    Args:
        place: the files of the step.
        most: bytes of the log's end that are looked at.
    """
    try:
        with files.open_ordinary(beside(place, ".log")) as log:
            log.seek(max(0, beside(place, ".log").stat().st_size - most))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    last = re.split(r"^== ", text, flags=re.MULTILINE)[-1]
    return last.partition("\n")[2]


def _taken(lock: IO[bytes]) -> bool:
    """Lock a file, and tell whether that was possible; where there are no locks it is."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
