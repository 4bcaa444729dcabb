"""What was handed over and is not yet read back: one small file a batch, written before anything is waited for.

The files name batches and cache keys; no question, no answer and no key of a provider stands in them.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.models.batches.base import Pending

_ENDING = ".json"


class Entry(Record):
    """One batch."""

    schema_version: Literal[1] = 1
    name: str
    """Digest of its keys."""
    role: str
    """What the model is asked for."""
    model: str
    address: str | None
    """Of the server, as it may be shown."""
    interface: str
    began: float
    """Seconds since 1970, just before anything was sent."""
    lines: int
    sent: dict[str, Any]
    """Parameters of every request, as records of replies keep them."""
    keys: frozenset[str] = frozenset()
    """Requests whose answers are still to be read."""
    upload: str = ""
    batch: str = ""
    """The provider's id; empty until it is known."""
    others: tuple[str, ...] = ()
    """Batches of the account that were looked at and are not this one."""
    over: bool = False
    """Whether its answers were read."""
    kept: int = 0
    """Answers in the cache."""
    left: frozenset[str] = frozenset()
    """Requests without a usable answer: they are called singly."""
    reasons: dict[str, int] = Field(default_factory=dict)
    """Why, with counts."""

    @property
    def pending(self) -> Pending:
        """The batch as its interface needs to know it."""
        return Pending(self.name, self.keys, self.began, self.upload, self.others)


class Journal:
    """The entries in a folder.

    Args:
        folder: it is made with the first entry.

    Raises:
        StoreError: if an entry cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        self._holders: dict[str, str] = {}
        self.busy = asyncio.Semaphore()
        """Held by whoever has the content of a batch in memory: one at a time, whatever it is a batch of."""
        for path in sorted(folder.glob(f"*{_ENDING}")) if folder.is_dir() else ():
            self._add(_read(path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from handing the same over; what holds it ends with this process, however that ends.

        Raises:
            StoreError: if another one is at it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(
                    f"{self.folder}: another process hands batches over from here. Wait for it, or give another folder "
                    "(--reports)."
                ) from None
            yield
        finally:
            os.close(lock)

    def holder(self, key: str) -> Entry | None:
        """Return the batch a request is in, or was in without an answer; ``None`` if it was never handed over."""
        return self.entries.get(self._holders.get(key, ""))

    def note(self, entry: Entry) -> Entry:
        """Write an entry; it is on disk when this returns.

        Raises:
            StoreError: if it cannot be written.
        """
        files.replace(self._path(entry.name), entry.model_dump_json(exclude_defaults=True), private=True)
        self._add(entry)
        return entry

    def drop(self, entry: Entry) -> None:
        """Forget a batch of which nothing was begun."""
        self._path(entry.name).unlink(missing_ok=True)
        self._remove(entry.name)

    def _add(self, entry: Entry) -> None:
        self._remove(entry.name)
        self.entries[entry.name] = entry
        for key in (*entry.keys, *entry.left):
            self._holders[key] = entry.name

    def _remove(self, name: str) -> None:
        before = self.entries.pop(name, None)
        for key in (*before.keys, *before.left) if before is not None else ():
            self._holders.pop(key, None)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_ENDING}"


def _read(path: Path) -> Entry:
    try:
        return strict_json.record(Entry, files.read(path))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: it does not say which batch was handed over ({error}). Look with the provider whether one runs; "
            "then remove the file, and the same command hands its requests over again."
        ) from None
