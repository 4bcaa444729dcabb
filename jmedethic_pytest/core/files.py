"""Files that are replaced at one stroke, and digests of what they hold."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError


def replace(
    path: Path, content: str | bytes, advice: str = "Free space, or give another folder.", *, make_folder: bool = True
) -> None:
    """Replace a file at one stroke: a reader sees the old one or the new one, never a part.

    Args:
        path: the file.
        content: its new content; a text is written as UTF-8.
        advice: what to do if it cannot be written.
        make_folder: make the folder if there is none.

    Raises:
        StoreError: if it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
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
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def sha256(text: str) -> str:
    """Return the sha256 of a text in UTF-8, as hexadecimal digits; lone surrogates count as question marks."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
