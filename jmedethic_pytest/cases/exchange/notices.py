"""Licence notices: printed at every import and written beside the cases, so that the two do not part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from jmedethic_pytest import _version
from jmedethic_pytest.cases.exchange.mapping import Origin

SUFFIX = ".NOTICE.txt"


def word(origin: Origin, files: Sequence[Path], revision: str | None) -> list[str]:
    """Return the notice as lines: what it is, what may be done with it, and exactly which files it was made from."""
    lines = [f"These cases are made from {origin.title}."]
    lines += [f"Source: {origin.url}" + (f" at commit {revision}" if revision else "")] if origin.url else []
    lines += [f"Licence: {origin.licence}"] if origin.licence else []
    lines += [origin.notice] if origin.notice else []
    lines += [f"File: {file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    lines.append(f"Converted by jmedethic-pytest {_version.VERSION}; ids, labels and file format were changed.")
    return lines


def beside(file: Path) -> Path:
    """Return where the notice of a file of cases stands."""
    return file.with_suffix(SUFFIX)


def inherited(files: Iterable[Path]) -> list[str]:
    """Return the notices that stand beside files of cases."""
    found = (beside(file) for file in files)
    texts = dict.fromkeys(path.read_text(encoding="utf-8").strip() for path in found if path.is_file())
    return "\n\n".join(texts).splitlines()
