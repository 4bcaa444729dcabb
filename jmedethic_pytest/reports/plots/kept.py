"""Plots of an earlier run that are taken over: a run that was resumed to the same figures is not drawn again.

Only pictures are taken, on which no answer depends, and only if all that they are drawn from is the same: every score,
figures and gate of this run, its words and rules, the language, and the code that draws. ``reports/plots.json`` notes
by the digest of all that which run has them, with a digest of each file: what was changed since is drawn anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

import jmedethic_pytest
from jmedethic_pytest.core import files, interface, strict_json
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

NAME = "plots.json"
_MOST = 8
"""Runs whose plots are remembered."""
_DRAW = ("matplotlib", "matplotlib-fontja", "numpy", "pandas")
_SOURCES = {".py", ".toml", ".json"}


class _Drawn(Record):
    """Plots that were drawn."""

    run: str
    files: Mapping[str, str]
    """The sha256 of every file in its folder of plots."""


_Known = TypeAdapter(dict[str, _Drawn])


def made_of(outcome: Outcome) -> str:
    """Return the digest of everything that the plots of a run are drawn from."""
    info = outcome.info
    return files.digest(
        [
            _code(),
            interface.language(),
            info.model_dump(mode="json", include={"judges", "vocabulary"}),
            info.simulated,
            outcome.summary.model_dump(mode="json"),
            outcome.gate.model_dump(mode="json"),
            outcome.rules.model_dump(mode="json"),
            [item.model_dump(mode="json") for item in outcome.comparisons],
            list(outcome.scores().rows.values()),
        ]
    )


def take(digest: str, run: Path, name: str) -> bool:
    """Copy the plots of that digest into a run's folder, if an earlier run has them as they were drawn.

    Args:
        digest: of what they are drawn from.
        run: the run's folder in ``reports/runs``.
        name: of the folder of plots in it.

    Raises:
        StoreError: if they cannot be written.
    """
    known = _known(run)
    if digest not in known:
        return False
    found = known[digest]
    try:
        there = run.with_name(found.run) / name
        content = {file: files.read(there / file) for file in found.files}
    except (OSError, ValueError):  # gone, or no name of a file
        return False
    if any(Path(file).name != file or _sha256(content[file]) != drawn for file, drawn in found.files.items()):
        return False
    for file, data in content.items():
        files.replace(run / name / file, data, "Free some space, or --report=off.")
    return True


def note(digest: str, run: Path, drawn: Mapping[str, bytes]) -> None:
    """Remember the plots of a run; nothing is lost if that cannot be written."""
    known = _known(run)
    known.pop(digest, None)
    known[digest] = _Drawn(run=run.name, files={name: _sha256(data) for name, data in drawn.items()})
    newest = {key: known[key].model_dump(mode="json") for key in list(known)[-_MOST:]}
    with suppress(StoreError):
        files.replace(_place(run), files.as_json(newest))


def _place(run: Path) -> Path:
    return run.parent.with_name(NAME)


def _known(run: Path) -> dict[str, _Drawn]:
    """Return what is remembered, the newest last; a file that cannot be read remembers nothing."""
    with suppress(OSError, ValueError, ValidationError):
        return _Known.validate_python(strict_json.value(files.read(_place(run))))
    return {}


@cache
def _code() -> str:
    """Return the digest of what draws: this package as it lies there, and the libraries by their versions."""
    import PIL  # no matter under which name it is installed

    root = Path(jmedethic_pytest.__file__).parent
    sources = sorted(path for path in root.rglob("*") if path.suffix in _SOURCES and path.is_file())
    drawing = [f"PIL {PIL.__version__}", *(f"{name} {version(name)}" for name in _DRAW)]
    found = hashlib.sha256(" ".join(drawing).encode())
    for path in sources:
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
