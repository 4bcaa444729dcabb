"""Replies that were cached on several machines, brought together in one cache.

The first one wins. A key is the digest of everything that may change an answer, so two replies under one key are two
draws of the same: neither is wrong. What a cache has given already it must go on giving, and no figure of a run comes
from here. To refuse would throw away what was paid for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from jmedethic_pytest.models.cache import Cache

_PAGE = 500
"""Replies that are in memory at a time."""


def merge(sources: list[Path], into: Path, *, shared: bool = False) -> list[str]:
    """Take the replies of other caches into one.

    Args:
        sources: the other files; one that is not there, or is this very file, is left out.
        into: the cache; it is made if there is none.
        shared: whether others may read a new file.

    Returns:
        What could not be read or written, a line each: a cache costs money, never a run.
    """
    others = [path for path in sources if path.is_file() and not (into.exists() and path.samefile(into))]
    if not others:
        return []
    notes = []
    cache = Cache(into, shared=shared)
    for path in others:
        try:
            for rows in _pages(path):
                cache.take(rows)
        except (sqlite3.Error, OSError) as error:
            notes.append(f"{path} cannot be read ({error}); its replies stay there")
    cache.close()
    return [*notes, *([cache.note] if cache.note else [])]


def _pages(path: Path) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the replies of a cache; on a medium that cannot be written it is read as a file that nobody changes."""
    try:
        yield from _read(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN:
            raise
        yield from _read(path, "immutable=1")


def _read(path: Path, how: str) -> Iterator[list[tuple[str, bytes]]]:
    with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?{how}", uri=True)) as db:
        cursor = db.execute("SELECT key, value FROM reply")
        while rows := cursor.fetchmany(_PAGE):
            yield [(key, value) for key, value in rows if isinstance(key, str) and isinstance(value, bytes)]
