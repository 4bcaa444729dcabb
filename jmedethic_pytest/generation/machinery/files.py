"""The file of a stage: a header line, then one line per item; torn last lines are cut, finished files are sorted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import Field, ValidationError

from jmedethic_pytest import _version
from jmedethic_pytest.cases import canary
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.files import replace
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.generation.machinery.meter import Spent
from jmedethic_pytest.generation.machinery.records import Drop

_SCHEMA_VERSION = 1
LICENCE = (
    "Outputs of the models named in `roles`, made by you: their terms apply. Not covered by this project's licences."
)
WARNING = (
    "CONTENT WARNING: attack material. Requests for unethical and unlawful acts in medicine, made to test safety. "
    "Keep it restricted, do not publish it."
)
SIMULATION = "SIMULATION: written by scripted demo models; it says nothing about any model."


class Header(Record):
    """The first line of a stage's file: what it is, what it was made with, and how to treat it."""

    schema_version: Literal[1] = 1
    stage: str
    warning: str = WARNING
    licence: str = LICENCE
    simulation: str | None = None
    """What says so, if any model behind the stage is a simulation."""
    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Models by role."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Everything that decides what the stage makes of an item: prompts' digests, sampling, numbers."""
    sources: dict[str, str] = Field(default_factory=dict)
    """Digests of what the items were taken from; may change between two runs of a stage, as its items do."""
    tool_version: str = _version.VERSION
    canary: str = ""
    """A sentence with a GUID of these models and settings, by which the file is found in a training corpus."""


def header(
    stage: str,
    *,
    roles: dict[str, tuple[str, ...]],
    settings: dict[str, Any],
    simulated: bool,
    sources: dict[str, str] | None = None,
) -> Header:
    """Return the header of a stage."""
    mark = SIMULATION if simulated else None
    made = json.dumps([roles, settings], sort_keys=True, default=list)
    found = canary.of_a_build(stage, files.sha256(made))
    return Header(stage=stage, simulation=mark, roles=roles, settings=settings, sources=sources or {}, canary=found)


class Line(Record):
    """One finished item."""

    key: str
    records: tuple[dict[str, Any], ...] = ()
    drops: tuple[Drop, ...] = ()
    spent: dict[str, Spent] = Field(default_factory=dict)

    @property
    def final(self) -> bool:
        """False if the item is to be asked again when the stage is resumed."""
        return not any(drop.again for drop in self.drops)

    def content(self) -> bytes:
        """Return what counts for the digest: the result, not its cost."""
        kept = {
            "key": self.key,
            "records": self.records,
            "drops": [drop.model_dump(mode="json") for drop in self.drops],
        }
        return json.dumps(kept, sort_keys=True, ensure_ascii=False).encode(errors="replace")


class Summary(Record):
    """What ``<stage>.json`` holds of a finished stage."""

    schema_version: Literal[1] = 1
    header: Header
    items: int
    kept: int
    drops: dict[str, int] = Field(default_factory=dict)
    """Number of drops by reason."""
    spent: dict[str, Spent] = Field(default_factory=dict)
    """Calls and tokens by ``<role> <model>``, also of replies that came from the cache."""
    digest: str
    """sha256 over records and drops of all items in order of their keys."""


def path_of(folder: Path, stage: str) -> Path:
    """Return the file of a stage."""
    return folder / f"{stage}.jsonl"


def summary_of(folder: Path, stage: str) -> Summary | None:
    """Return the summary of a stage, ``None`` if it is not finished.

    Raises:
        StoreError: if the file is damaged.
    """
    path = folder / f"{stage}.json"
    try:
        return strict_json.record(Summary, files.read(path))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path}: cannot be read: {error}. Remove it; the stage is then closed anew.") from None


def simulated(folder: Path, *stages: str) -> bool:
    """Tell whether any of some earlier stages is a simulation: what is made from it is one too."""
    found = [summary_of(folder, stage) for stage in stages]
    return any(summary is not None and summary.header.simulation is not None for summary in found)


def write_summary(folder: Path, summary: Summary) -> None:
    """Write ``<stage>.json``: the stage is finished."""
    replace(folder / f"{summary.header.stage}.json", summary.model_dump_json(indent=1) + "\n")


class ItemFile:
    """A stage's file, open for appending; remembers where each item's line stands, not the line.

    Args:
        folder: the folder of the benchmark being built.
        header: the stage.
        fresh: begin anew whatever is there.
    """

    def __init__(self, folder: Path, header: Header, *, fresh: bool = False) -> None:
        self._path = path_of(folder, header.stage)
        self._header = header
        self._places: dict[str, tuple[int, int]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if fresh:
                self._reopen()
            self._file = self._path.open("w+b" if fresh else "a+b")
            self._end = 0
            try:
                self._load()
                self._reopen()
            except BaseException:
                self._file.close()  # What is finished stays finished: other settings change nothing.
                raise
        except OSError as error:
            raise self._trouble(error) from None

    def _reopen(self) -> None:
        """Take back that the stage is finished."""
        (self._path.parent / f"{self._header.stage}.json").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def has(self, key: str) -> bool:
        """Tell whether an item is finished."""
        return key in self._places

    def append(self, line: Line) -> None:
        """Write one item; it is with the operating system when this returns."""
        data = line.model_dump_json(exclude_defaults=True).encode() + b"\n"
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise self._trouble(error) from None
        self._places[line.key] = (self._end, len(data))
        self._end += len(data)

    def lines(self) -> Iterator[Line]:
        """Yield the finished items in the order in which they were finished."""
        for begin, length in list(self._places.values()):
            yield self._line(begin, length)

    def finish(self, keys: set[str], visit: Callable[[Line], None]) -> str:
        """Replace the file by the lines of the wanted items in order of their keys; return the digest.

        Args:
            keys: the wanted items; lines of items that are wanted no more are left out.
            visit: told every line that stays.
        """
        total = hashlib.sha256()
        part = self._path.with_name(f".{self._path.name}.part")
        try:
            with part.open("wb") as stream:
                stream.write(_first_line(self._header))
                for key in sorted(keys):
                    line = self._line(*self._places[key])
                    visit(line)
                    total.update(line.content())
                    stream.write(line.model_dump_json(exclude_defaults=True).encode() + b"\n")
            os.replace(part, self._path)
        except OSError as error:
            raise self._trouble(error) from None
        return total.hexdigest()

    @staticmethod
    def read(folder: Path, stage: str) -> Iterator[Line]:
        """Yield the lines of a finished stage.

        Raises:
            ConfigError: if it is not finished.
            StoreError: if it is damaged.
        """
        path = path_of(folder, stage)
        if not path.is_file() or not path.with_suffix(".json").is_file():
            raise ConfigError(f"{path}: stage {stage!r} is not finished. Next: `jmedethic generate {_command(stage)}`.")
        with files.open_ordinary(path) as stream:
            for number, data in files.lines(stream):
                if number > 1:
                    yield _item(path, number, data)

    def _load(self) -> None:
        """Read the header and the place of every line; cut a torn last line off."""
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):
            self._file.truncate(0)
            first = _first_line(self._header)
            self._file.write(first)
            self._file.flush()
        else:
            self._check(first)
        self._end = len(first)
        self._file.seek(self._end)
        for number, data in enumerate(self._file, start=2):
            if not data.endswith(b"\n"):
                self._file.truncate(self._end)
                break
            line = _item(self._path, number, data)
            if line.final:
                self._places[line.key] = (self._end, len(data))
            self._end += len(data)

    def _check(self, first: bytes) -> None:
        """Refuse to mix the work of two settings in one file."""
        try:
            known = strict_json.record(Header, first)
        except ValidationError:
            found = _version_of(first)
            newer = found is not None and found > _SCHEMA_VERSION
            what = f"written by a newer version (schema {found})" if newer else "its first line is no header"
            raise StoreError(f"{self._path}:1: {what}. Move the file away, or give another name (--name).") from None
        mine = self._header
        changed = [
            f"{name} was {_short(old.get(name))}, is {_short(new.get(name))}"
            for old, new in ((known.settings, mine.settings), (known.roles, mine.roles))
            for name in sorted({*old, *new})
            if json.dumps(old.get(name), sort_keys=True, default=list)
            != json.dumps(new.get(name), sort_keys=True, default=list)
        ]
        if changed:
            raise ConfigError(
                f"{self._path}: was made with other settings: {'; '.join(changed)}. Give another --name, restore the "
                f"settings, or begin the stage anew with --restart (the old file is kept beside it)."
            )

    def _line(self, begin: int, length: int) -> Line:
        return strict_json.record(Line, os.pread(self._file.fileno(), length, begin))

    def _trouble(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path}: cannot be written: {error.strerror}. Free space or give another folder; what was finished "
            "stays valid, and the same command resumes the stage."
        )


def set_aside(path: Path) -> Path | None:
    """Move a file out of the way, under the first free name; return where it went.

    Raises:
        StoreError: if it cannot be moved.
    """
    if not path.exists():
        return None
    number = 1
    while (aside := path.with_name(f"{path.stem}.old-{number}{path.suffix}")).exists():
        number += 1
    try:
        os.replace(path, aside)
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved to {aside.name}: {error.strerror}.") from None
    return aside


def begin_anew(folder: Path, stage: str) -> Path | None:
    """Move the file of a stage out of the way (see :func:`set_aside`) and take back that the stage is finished."""
    aside = set_aside(path_of(folder, stage))
    if aside is not None:
        (folder / f"{stage}.json").unlink(missing_ok=True)
    return aside


def _item(path: Path, number: int, data: bytes) -> Line:
    try:
        return strict_json.record(Line, data)
    except ValidationError as error:
        raise StoreError(f"{path}:{number}: damaged: {error.errors(include_url=False)[0]['msg']}.") from None


def _first_line(header: Header) -> bytes:
    return header.model_dump_json().encode() + b"\n"


def _version_of(data: bytes) -> int | None:
    try:
        version = strict_json.value(data).get("schema_version")
    except (ValueError, AttributeError):
        return None
    return version if isinstance(version, int) else None


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=list)
    return text if len(text) <= 60 else text[:57] + "..."


def _command(stage: str) -> str:
    return {"answers": "validate", "validated": "validate"}.get(stage, stage)
