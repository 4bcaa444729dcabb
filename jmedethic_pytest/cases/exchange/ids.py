"""Ids of imported cases: readable, unique, and the same at the next import whatever the order of the rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from jmedethic_pytest.cases.exchange.words import fold, slug

MAX_LENGTH = 48
_HASH = 8
_TWIN = "-twin"


class Key(NamedTuple):
    """What an id is made from."""

    locale: str
    prefix: str
    """Short word for the data set."""
    source: str
    """The data set's own id; empty if it has none."""
    strategy: str
    content: str
    """Hexadecimal digest of the conversation."""
    twin: bool = False


def assign(keys: Sequence[Key]) -> list[str]:
    """Return one id for each key.

    An id is ``<locale>-<prefix>-<source id>``. Where several rows would share it (one question under seven strategies,
    files that count from 0 each), all of them get the strategy added, and where that is not enough a digest instead.
    """
    levels = [0] * len(keys)
    while True:
        ids = [_id(key, level) for key, level in zip(keys, levels, strict=True)]
        counts = Counter(ids)
        raised = [min(level + (counts[found] > 1), 2) for level, found in zip(levels, ids, strict=True)]
        if raised == levels:
            return ids
        levels = raised


def content(*parts: str) -> str:
    """Return the digest of texts that makes :attr:`Key.content`."""
    return hashlib.sha256("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()


def _id(key: Key, level: int) -> str:
    head = f"{key.locale}-{slug(key.prefix) or 'x'}-"
    tails = ("", f"-{key.strategy.lower()}", f"-{content(key.source, key.content)[:_HASH]}")
    tail = tails[level] + (_TWIN if key.twin else "")
    return head + _body(key, MAX_LENGTH - len(head) - len(tail)) + tail


def _body(key: Key, room: int) -> str:
    """Return the source id as a slug; a digest stands for what does not fit or is not ASCII."""
    if not key.source:
        return key.content[: min(room, 12)]
    body = slug(key.source)
    if body and len(body) <= room and fold(key.source).isascii():
        return body
    digest = content(key.source)[:_HASH]
    return f"{body[: room - _HASH - 1].strip('-')}-{digest}".strip("-")
