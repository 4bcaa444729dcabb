"""The bundled case files, read once by a process and by those that are forked from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.cases import files
from jmedethic_pytest.cases.index import Stamp, stamp
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary

_read = files._read
_kept: dict[Path, tuple[Stamp | None, list[tuple[Case, files.Spot]]]] = {}


def keep() -> None:
    """Have whole readings of a bundled file give what the first one gave, unless the file has changed.

    Hundreds of runs begin with all of them; what a run does with its own case files is not touched.
    """
    files._read = _read_once


def _read_once(file: Path, vocabulary: Vocabulary, problems: list[str]) -> Iterator[tuple[Case, files.Spot]]:
    if file.parent != files.bundled_dir() or vocabulary is not SHIPPED:
        return _read(file, vocabulary, problems)
    state = stamp(file)
    if file in _kept and _kept[file][0] == state:
        return iter(_kept[file][1])
    found: list[str] = []
    cases = list(_read(file, vocabulary, found))
    problems.extend(found)
    if not found:
        _kept[file] = state, cases
    return iter(cases)
