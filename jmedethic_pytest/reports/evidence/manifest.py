"""Which files a document rests on, each with its length and its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.store import baselines

ENDING = ".manifest.json"
"""Of its name, after that of the document."""


class Listed(Record):
    """A file."""

    path: str
    """From the folder of reports on, or in the pack itself."""
    bytes: int
    sha256: str


class Manifest(Record):
    """What the file beside a document holds."""

    schema_version: Literal[1] = 1
    run: str
    tool_version: str
    mapping: str
    """Along which document's headings the pack was made."""
    language: str
    answer: str
    """The gate's."""
    files: tuple[Listed, ...]


def rests_on(outcome: Outcome) -> list[Listed]:
    """Return the files of a run, and the baselines it was compared with, in order.

    Raises:
        StoreError: if one cannot be read.
    """
    reports = outcome.path.parent.parent
    found = sorted(path for path in outcome.path.rglob("*") if path.is_file())
    known = [baselines.folder(reports) / f"{name}.json" for name in outcome.info.baselines]
    return [listed(path, path.relative_to(reports)) for path in (*found, *(path for path in known if path.is_file()))]


def listed(file: Path, name: Path) -> Listed:
    """Return the entry of a file.

    Raises:
        StoreError: if it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Listed(path=name.as_posix(), bytes=file.stat().st_size, sha256=digest)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}.") from None


def manifest(outcome: Outcome, mapping: str, language: str, files: Iterable[Listed]) -> Manifest:
    """Return the manifest of a pack."""
    return Manifest(
        run=outcome.info.id,
        tool_version=outcome.info.tool_version,
        mapping=mapping,
        language=language,
        answer=outcome.gate.answer,
        files=tuple(files),
    )
