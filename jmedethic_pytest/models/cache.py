"""The response cache: one sqlite file, so that nothing is ever paid for twice.

A key is the sha256 of everything that may change the answer. Only complete, unblocked replies are kept: errors, cut
replies and blocks are asked again, and so is what its reader could not read (:meth:`Cache.forget`). Write-ahead logging
lets several runs share the file and keeps it sound when a process is killed.

A cache costs money, never a run: a damaged file is set aside and a new one begun, and where that does not help the run
goes on without one. Both are said in a note.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.files import compact, sha256
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.core.short_cache import short_cache
from jmedethic_pytest.models.base import ChatRequest, ModelRef

T = TypeVar("T")
FILE = "cache.sqlite"
"""Its name in the folder of reports."""
_KEY_VERSION = 2
PATIENCE = 10.0
"""Seconds to wait for a file that another process keeps locked."""
_COLUMNS = ["key", "value"]
_OUTSIDE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
"""Troubles of the world around a file, which a new one would have too; all others are of the file itself."""
_LARGEST = 64 * 2**20
"""Bytes of a reply, unpacked; a longer one was not written by us."""
_WORTH_PACKING = 2_000
"""Bytes from which a reply is compressed; a judge's short answer would cost more time than it saves space."""


class Keys:
    """The cache keys of a model's calls in one role; what its calls have in common is written out once.

    Args:
        role: ``target`` or ``judge``; the same question to the same model in another role is another call.
        ref: the model, its endpoint and its revision.
    """

    def __init__(self, role: str, ref: ModelRef) -> None:
        self._role = role
        self._ref = ref
        self._common: tuple[Sampling, Mapping[str, Any] | None] | None = None
        self._around = ("", "", "")
        """What stands before the messages, between them and the repeat index, and after it."""

    def of(self, request: ChatRequest) -> str:
        """Return the key of a call.

        Args:
            request: messages, sampling, schema and repeat index (the context and the time limit do not count).
        """
        common = self._common
        if common is None or common[0] is not request.sampling or common[1] is not request.schema:
            self._common, self._around = (request.sampling, request.schema), self._written(request)
        before, between, after = self._around
        messages = ",".join([f'["{message.role}","{_digest(message.content)}"]' for message in request.messages])
        return sha256(f"{before}[{messages}]{between}{request.repeat}{after}")

    def _written(self, request: ChatRequest) -> tuple[str, str, str]:
        ref = self._ref
        content = {
            "version": _KEY_VERSION,
            "role": self._role,
            "model": ref.label,
            "endpoint": ref.served or ref.base_url,
            "structured": ref.dialect.structured if request.schema else None,
            "messages": _MESSAGES,
            "sampling": request.sampling.model_dump(include={"temperature", "top_p", "max_tokens", "extra"}),
            "schema": request.schema,
            "repeat": _REPEAT,
            **({"revision": ref.revision} if ref.revision else {}),
            **({"dialect": peculiar} if (peculiar := ref.dialect.peculiar) else {}),
        }
        before, _, rest = compact(content).partition(compact(_MESSAGES))
        between, _, after = rest.partition(compact(_REPEAT))
        return before, between, after


_MESSAGES, _REPEAT = "\0messages", "\0repeat"
"""Stand for what differs from call to call."""
_digest = short_cache(256)(sha256)
"""Of a text that is asked again at once: by the other judge, or with the next turn."""


class Cache:
    """A key-value table of replies, used from one thread; whatever becomes of its file, it never raises.

    Args:
        path: the file; its folder is made.
        shared: whether others may read a new file; it holds texts of models.
        patience: seconds to wait for a file that another process keeps locked.
    """

    def __init__(self, path: Path, *, shared: bool = False, patience: float = PATIENCE) -> None:
        self._path = path
        self._mode = 0o666 if shared else 0o600
        self._patience = patience
        self._notes: list[str] = []
        self._set_aside = self._given_up = False
        self._db: sqlite3.Connection | None = None
        self._use(lambda _: None)

    @property
    def note(self) -> str:
        """What had to be done with the file, in words; empty if nothing."""
        return "; ".join(self._notes)

    @property
    def usable(self) -> bool:
        """False once the file was given up: nothing is kept any more."""
        return not self._given_up

    def get(self, key: str) -> Reply | None:
        """Return the stored reply, marked ``cached``, or ``None``."""
        row = self._use(lambda db: db.execute("SELECT value FROM reply WHERE key = ?", (key,)).fetchone())
        if row is None:
            return None
        try:
            return strict_json.record(Reply, _unpacked(row[0]), _as_cached)
        except (zlib.error, TypeError, ValueError):
            return None  # A damaged entry is asked again, and replaced.

    def put(self, key: str, reply: Reply) -> None:
        """Store a reply; it is on disk, safe from a kill of this process, when this returns."""
        value = reply.model_dump_json().encode()
        if len(value) >= _WORTH_PACKING:
            value = zlib.compress(value, level=1)
        self._use(lambda db: db.execute("INSERT OR REPLACE INTO reply VALUES (?, ?)", (key, value)))

    def take(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """Add stored replies of another cache; what this one holds already stays."""

        def add(db: sqlite3.Connection) -> None:
            db.execute("BEGIN")
            try:
                db.executemany("INSERT OR IGNORE INTO reply VALUES (?, ?)", rows)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

        self._use(add)

    def forget(self, keys: Iterable[str]) -> None:
        """Take replies out: they were none, and are to be asked for again."""
        rows = [(key,) for key in keys]
        self._use(lambda db: db.executemany("DELETE FROM reply WHERE key = ?", rows))

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _use(self, ask: Callable[[sqlite3.Connection], T]) -> T | None:
        """Ask the file something; ``None`` where it cannot be used (any more)."""
        while not self._given_up:
            try:
                if self._db is None:
                    self._db = self._open()
                return ask(self._db)
            except (sqlite3.Error, OSError) as error:
                self.close()
                if self._set_aside or not _is_damage(error) or not self._replace(error):
                    self._given_up = True
                    self._notes.append(f"{self._path} cannot be used ({error}); the run went on without a cache")
        return None

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # sqlite gives the files it makes beside it the same rights
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, self._mode))
        db = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)
        try:
            self._use_wal(db)
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, value BLOB NOT NULL)")
            if [column[1] for column in db.execute("PRAGMA table_info(reply)")] != _COLUMNS:
                raise sqlite3.DatabaseError("its table is of another form")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _use_wal(self, db: sqlite3.Connection) -> None:
        """Switch to write-ahead logging; sqlite's own patience does not cover two processes that do so at once."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _replace(self, error: Exception) -> bool:
        """Move a damaged file aside; paid replies are lost, no result is. Return whether that could be done."""
        aside = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
        try:
            os.replace(self._path, aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
        except OSError:
            return False
        self._set_aside = True
        self._notes.append(f"{self._path} was damaged ({error}); it was moved to {aside.name} and a new one begun")
        return True


def _is_damage(error: Exception) -> bool:
    """Tell whether a file itself is at fault; Python's own errors about one (a text that is no text) have no code."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return isinstance(error, sqlite3.Error) and code & 0xFF not in _OUTSIDE


def _as_cached(content: Any) -> bool:
    """Mark a reply as one that was kept; tell whether it can be one."""
    if isinstance(content, dict):
        content["cached"] = True
    return isinstance(content, dict)


def _unpacked(value: bytes) -> bytes:
    if value[:1] == b"{":
        return value
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(value, _LARGEST)
    if not unpacking.eof:
        raise ValueError("cut short, or longer than any reply")
    return found
