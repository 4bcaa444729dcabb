"""Every file that a run has written, and what is packed inside."""

from __future__ import annotations

import base64
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_GIVEN = {"cases.jsonl", "test_conversations.py", "thresholds.toml", "pytest.ini"}
_PACKED = re.compile(rb'<script type="application/octet-stream" id="[\w-]+">([A-Za-z0-9+/=]+)</script>')
"""What report.html holds: base64 of raw deflate."""


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file below a folder; the user's own files are not among them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in _GIVEN or "latest" in path.parts:
            continue
        name, data = str(path.relative_to(folder)), path.read_bytes()
        yield name, data
        yield from ((f"{name}!{part}", inner) for part, inner in _unpacked(path, data))


def _unpacked(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from ((name, packed.read(name)) for name in packed.namelist())
    if path.suffix == ".html":
        for number, block in enumerate(_PACKED.findall(data)):
            yield str(number), zlib.decompress(base64.b64decode(block), wbits=-15)
    if path.name == "cache.sqlite":
        for number, (value,) in enumerate(sqlite3.connect(path).execute("SELECT value FROM reply")):
            yield str(number), value if value[:1] == b"{" else zlib.decompress(value)
