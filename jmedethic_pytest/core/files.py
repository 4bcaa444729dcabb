"""Files that are read within bounds and replaced at one stroke, and digests of what they hold."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jmedethic_pytest.core.errors import StoreError

LARGEST_FILE = 256 * 2**20
"""Bytes of a file that is read as a whole."""
LONGEST_LINE = 64 * 2**20
"""Bytes of one line of a file that is read line by line."""


def open_ordinary(path: Path) -> BinaryIO:
    """Open a file for reading; what has no end or keeps a reader waiting (a device, a pipe) is refused.

    Raises:
        OSError: if it cannot be opened, or is no ordinary file; ``strerror`` says why.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
    return path.open("rb")


def read(path: Path, most: int = LARGEST_FILE) -> bytes:
    """Return the content of a file.

    Args:
        path: the file.
        most: bytes it may have.

    Raises:
        OSError: as :func:`open_ordinary`, or if it is larger.
    """
    with open_ordinary(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 2**20} MiB", str(path))
    return content


def lines(stream: BinaryIO, most: int = LONGEST_LINE) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, from 1; only the last one may lack its line end.

    Args:
        stream: of :func:`open_ordinary`.
        most: bytes a line may have.

    Raises:
        OSError: if one is longer.
    """
    number = 0
    while line := stream.readline(most + 1):
        number += 1
        if len(line) > most:
            raise OSError(errno.EFBIG, f"line {number} is longer than {most // 2**20} MiB")
        yield number, line


def replace(
    path: Path,
    content: str | bytes,
    advice: str = "Free space, or give another folder.",
    *,
    make_folder: bool = True,
    private: bool = False,
) -> None:
    """Replace a file at one stroke: a reader sees the old one or the new one, never a part.

    Args:
        path: the file.
        content: its new content; a text is written as UTF-8.
        advice: what to do if it cannot be written.
        make_folder: make the folder if there is none.
        private: let nobody but its owner read the file; it holds texts of models.

    Raises:
        StoreError: if it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(mode=0o600 if private else 0o666)
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}. {advice}") from None


def as_json(content: object) -> str:
    """Return the text of a JSON file that people may read: indented, in UTF-8, with an end of line."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def digest(content: object) -> str:
    """Return the sha256 of the JSON of a value with its keys sorted: equal digests mean equal values."""
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False))


def compact_digest(content: object) -> str:
    """As :func:`digest`, of JSON without spaces: cases, baselines and cached requests are known by it."""
    return sha256(compact(content))


def compact(content: object) -> str:
    """Return the JSON that :func:`compact_digest` is of."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(text: str) -> str:
    """Return the sha256 of a text in UTF-8, as hexadecimal digits; lone surrogates count as question marks."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
