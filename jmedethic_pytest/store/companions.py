"""``robustness.jsonl``: the companions of a run's evaluations, one line each, written like its verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.store.scores import Collector, Row

FILE = "robustness.jsonl"
"""The file, in a run's folder; there is none where nothing was reworded."""


def append(run: Path, found: Companions) -> None:
    """Add the companions of one evaluation; they are with the operating system when this returns.

    Raises:
        StoreError: if they cannot be written.
    """
    path = run / FILE
    try:
        with path.open("ab") as stream:
            stream.write(found.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}. Free space; the same command resumes."
        ) from None


def read(run: Path) -> Iterator[Companions]:
    """Yield the companions of a run's evaluations; none where it has no such file.

    A last line that a kill cut is left out: its evaluation has none then.

    Raises:
        StoreError: for any other damaged line, or a second line of an evaluation.
    """
    path = run / FILE
    if not path.is_file():
        return
    seen: set[str] = set()
    try:
        with files.open_ordinary(path) as stream:
            for number, line in files.lines(stream):
                if not line.endswith(b"\n"):
                    return
                found = _line(f"{path}:{number}", line)
                if found.key in seen:
                    raise StoreError(f"{path}:{number}: damaged: a second line of {found.key}; a run has one of each.")
                seen.add(found.key)
                yield found
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None


def _line(place: str, line: bytes) -> Companions:
    try:
        return strict_json.record(Companions, line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise StoreError(f"{place}: damaged: {where}: {first['msg']}. Next: make the run again.") from None


class Companion(NamedTuple):
    """The scores of one evaluation's companions, without texts."""

    kind: str
    repeated: Row | None = None
    """Under the key of the original."""
    reworded: Row | None = None
    """Likewise."""
    wording: str = ""
    """Digest of the other wording."""
    reason: str = ""
    """Why there are none."""


def scores(run: Path) -> dict[str, Companion]:
    """Return the scores of a run's companions by the key of their original.

    Raises:
        StoreError: if the file is damaged.
    """
    return {found.key: _scores(found) for found in read(run)}


def _scores(found: Companions) -> Companion:
    repeated, reworded = (
        None if verdict is None else _row(found.key, verdict) for verdict in (found.repeated, found.reworded)
    )
    return Companion(found.kind, repeated, reworded, found.wording, found.reason)


def _row(key: str, verdict: Verdict) -> Row:
    collector = Collector(compared=False)
    collector.add(verdict)
    return collector.rows[verdict.key]._replace(key=key)
