"""The response cache: one sqlite file, so that nothing is ever paid for twice.

A key is the sha256 of the canonical JSON of everything that may change the answer. Only complete, unblocked replies
are kept: errors, cut replies and blocks are asked again, and so is what its reader could not read
(:meth:`Cache.forget`). Write-ahead logging lets several runs share the file and
keeps it sound when a process is killed.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models.base import ChatRequest, ModelRef

_KEY_VERSION = 1
_BUSY_MS = 30_000
_WORTH_PACKING = 2_000
"""Bytes from which a reply is compressed; a judge's short answer would cost more time than it saves space."""


def key(role: str, ref: ModelRef, request: ChatRequest) -> str:
    """Return the cache key of a call.

    Args:
        role: ``target`` or ``judge``; the same question to the same model in another role is another call.
        ref: the model, its endpoint and its revision.
        request: messages, sampling, schema and repeat index (the context and the time limit do not count).
    """
    content = {
        "version": _KEY_VERSION,
        "role": role,
        "model": ref.label,
        "endpoint": ref.base_url,
        "structured": ref.dialect.structured if request.schema else None,
        "messages": request.messages,
        "sampling": request.sampling.model_dump(include={"temperature", "top_p", "max_tokens", "extra"}),
        "schema": request.schema,
        "repeat": request.repeat,
        **({"revision": ref.revision} if ref.revision else {}),
        **({"dialect": peculiar} if (peculiar := ref.dialect.peculiar) else {}),
    }
    return compact_digest(content)


class Cache:
    """A key-value table of replies, used from one thread.

    Raises:
        StoreError: from every method, if the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.note = ""
        """What had to be done to open the file, in words; empty if nothing."""
        try:
            self._db = self._open()
        except sqlite3.OperationalError as error:
            raise self._trouble(error) from None
        except sqlite3.DatabaseError as error:
            self._db = self._replace(error)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_MS / 1000, isolation_level=None)
        self._use_wal(db)
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, value BLOB NOT NULL)")
        return db

    @staticmethod
    def _use_wal(db: sqlite3.Connection) -> None:
        """Switch to write-ahead logging; sqlite's own patience does not cover two processes that do so at once."""
        deadline = time.monotonic() + _BUSY_MS / 1000
        while True:
            try:
                db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _replace(self, error: sqlite3.Error) -> sqlite3.Connection:
        """Move a damaged file aside and begin a new one: paid replies are lost, no result is."""
        aside = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
        try:
            os.replace(self._path, aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
            self.note = f"{self._path} was damaged ({error}); it was moved to {aside.name} and a new one begun"
            return self._open()
        except (OSError, sqlite3.Error) as second:
            raise StoreError(f"{self._path}: damaged ({error}), and cannot be replaced: {second}.") from None

    def get(self, key: str) -> Reply | None:
        """Return the stored reply, marked ``cached``, or ``None``."""
        try:
            row = self._db.execute("SELECT value FROM reply WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        if row is None:
            return None
        try:
            data = row[0] if row[0][:1] == b"{" else zlib.decompress(row[0])
            return Reply.model_validate_json(data).model_copy(update={"cached": True})
        except (zlib.error, TypeError, ValueError):
            return None  # A damaged entry is asked again, and replaced.

    def put(self, key: str, reply: Reply) -> None:
        """Store a reply; it is on disk, safe from a kill of this process, when this returns."""
        value = reply.model_dump_json().encode()
        if len(value) >= _WORTH_PACKING:
            value = zlib.compress(value, level=1)
        try:
            self._db.execute("INSERT OR REPLACE INTO reply VALUES (?, ?)", (key, value))
        except sqlite3.Error as error:
            raise self._trouble(error) from None

    def forget(self, keys: Iterable[str]) -> None:
        """Take replies out: they were none, and are to be asked for again."""
        try:
            self._db.executemany("DELETE FROM reply WHERE key = ?", ((key,) for key in keys))
        except sqlite3.Error as error:
            raise self._trouble(error) from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _trouble(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"{self._path}: the response cache cannot be used: {error}. Free space, or move the file away."
        )
