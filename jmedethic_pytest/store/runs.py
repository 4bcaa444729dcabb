"""The run store: one folder per run, one line per verdict, nothing lost when the process is killed.

reports/runs/<UTC time>-<model>-<4 hex>/  run.json  verdicts.jsonl  summary.json  summary.md  report.html ...
reports/latest -> runs/...
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import SCHEMA_VERSION, Gate, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.store import schema

M = TypeVar("M", bound=BaseModel)
_Read = Callable[[type[M], bytes], M]
VERDICTS = "verdicts.jsonl"
"""The file of a run's verdicts, in its folder."""
_LENGTH_BITS = 40
_UNEVALUATED = "unevaluated.jsonl"
_SPACE = (
    "Free space or give another folder (reports option); what was stored before stays valid, "
    "and the same command resumes the run."
)


class Place(NamedTuple):
    """Where a verdict stands in ``verdicts.jsonl``, in bytes."""

    begin: int
    length: int


def now() -> str:
    """Return the present time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def new_run_id(model: str) -> str:
    """Return a fresh run id: sortable by time (to the millisecond), readable, unique."""
    return run_id(model, datetime.now(UTC), secrets.token_hex(2))


def run_id(model: str, moment: datetime, tail: str) -> str:
    """Return the id of a run of a model that was made then; the tail tells it from others of that moment."""
    slug = re.sub(r"[^a-z0-9.]+", "-", model.lower()).strip("-")[:40]
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z-{slug}-{tail}"


class RunStore:
    """The folder of one run, open for writing. Only the controller process writes.

    Args:
        reports: where runs are stored.
        run_id: of this one.
        shared: whether others may look into the folder; it holds texts of models.

    Raises:
        StoreError: if the folder or a file cannot be written.
    """

    def __init__(self, reports: Path, run_id: str, *, shared: bool = False) -> None:
        self.path = reports / "runs" / run_id
        self._latest = reports / "latest"
        self._before: str | None = None
        try:
            self.path.mkdir(parents=True, mode=0o777 if shared else 0o700)
            self._lines = (self.path / VERDICTS).open("a+b")
        except OSError as error:
            raise StoreError(f"{self.path}: the run folder cannot be written: {error.strerror}. {_SPACE}") from None
        self._places: dict[str, int] = {}
        """Where each line begins, and in the lowest bits how long it is: one number, as there may be many."""
        self._end = 0

    def append(self, verdict: Verdict) -> None:
        """Write one verdict; it is with the operating system when this returns, safe from a kill of this process."""
        line = verdict.model_dump_json().encode() + b"\n"
        try:
            self._lines.write(line)
            self._lines.flush()
        except OSError as error:
            raise StoreError(f"{self.path}: a verdict cannot be stored: {error.strerror}. {_SPACE}") from None
        self._places[verdict.key] = self._end << _LENGTH_BITS | len(line)
        self._end += len(line)

    def copy(self, lines: Iterable[bytes]) -> None:
        """Add stored verdicts of other runs as they are, so that no digest of them changes."""
        try:
            self._lines.writelines(lines)
            self._lines.flush()
        except OSError as error:
            raise StoreError(f"{self.path}: a verdict cannot be stored: {error.strerror}. {_SPACE}") from None

    def settle(self, run: str) -> bool:
        """Give the folder its name, at one stroke, and point ``reports/latest`` here.

        Returns:
            False if there is such a run already; then this folder is gone.
        """
        self.close()
        there = self.path.with_name(run)
        try:
            self.path.rename(there)
        except OSError as error:
            shutil.rmtree(self.path, ignore_errors=True)
            if there.exists():
                return False
            raise StoreError(f"{there}: cannot be written: {error.strerror}. {_SPACE}") from None
        self.path = there
        _point(self._latest, run)
        return True

    def write_unevaluated(self, verdicts: Iterable[Verdict]) -> None:
        """Keep what the run was asked for and did not reach, so that its figures can be computed again."""
        lines = "".join(verdict.model_dump_json() + "\n" for verdict in verdicts)
        if lines:
            self.write_text(_UNEVALUATED, lines)

    def recall(self, key: str) -> Verdict:
        """Read a verdict of this run back, so that none has to stay in memory."""
        begin, length = divmod(self._places[key], 1 << _LENGTH_BITS)
        try:
            return schema.read_again(Verdict, os.pread(self._lines.fileno(), length, begin))
        except (OSError, ValidationError) as error:
            raise StoreError(f"{self.path}: a stored verdict cannot be read back: {error}.") from None

    def publish(self, info: RunInfo) -> None:
        """Write ``run.json`` for the first time, and point ``reports/latest`` here: no older run is the latest now."""
        self.write_info(info)
        self._before = _pointed_at(self._latest)
        _point(self._latest, self.path.name)

    def write_info(self, info: RunInfo) -> None:
        """Replace ``run.json``."""
        self.write_json("run.json", info)

    def write_json(self, name: str, record: BaseModel) -> None:
        """Replace a JSON file of the run folder at one stroke."""
        self.write_text(name, files.as_json(record.model_dump(mode="json")))

    def write_text(self, name: str, text: str) -> None:
        """Replace a text file of the run folder at one stroke."""
        files.replace(self.path / name, text, _SPACE, make_folder=False)

    def withdraw(self, names: Iterable[str]) -> None:
        """Remove files of the run folder, as far as it can be done."""
        for name in names:
            with contextlib.suppress(OSError):
                (self.path / name).unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the folder: nothing was run. ``reports/latest`` points again to where it did."""
        self._lines.close()
        shutil.rmtree(self.path, ignore_errors=True)
        if self._before is not None:
            _point(self._latest, self._before)
        elif _pointed_at(self._latest) == self.path.name:
            self._latest.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the verdict file."""
        try:
            self._lines.close()
        except OSError as error:
            raise StoreError(f"{self.path}: a verdict cannot be stored: {error.strerror}. {_SPACE}") from None


def _pointed_at(link: Path) -> str | None:
    """Return the run that ``latest`` points to."""
    try:
        return link.readlink().name
    except OSError:
        return None


def _point(link: Path, run: str) -> None:
    """Make ``latest`` a relative link; where links are not to be had it is left out, since nothing depends on it."""
    part = link.with_name(f".latest-{secrets.token_hex(4)}")
    try:
        part.symlink_to(Path("runs") / run)
        os.replace(part, link)
    except OSError:
        part.unlink(missing_ok=True)


def runs(reports: Path) -> list[Path]:
    """Return the folders of all stored runs, oldest first; not those that are still being put together."""
    found = (path.parent for path in (reports / "runs").glob("*/run.json"))
    return sorted(path for path in found if not path.name.startswith("."))


def find_run(reports: Path, name: str) -> Path:
    """Return a run's folder by ``latest``, id, unambiguous part of an id, or path.

    Raises:
        StoreError: if there is none, or more than one.
    """
    for path in (Path(name), reports / "runs" / name, reports / name):
        if (path / "run.json").is_file():
            return path.resolve()
    matches = [path for path in runs(reports) if name in path.name]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(path.name for path in (matches or runs(reports))[-5:]) or "none"
    problem = "fits several runs" if matches else "is no stored run"
    raise StoreError(f"{name!r} {problem} in {reports / 'runs'} (latest: {known}). Give an id, a path, or 'latest'.")


def read_info(run: Path) -> RunInfo:
    """Read ``run.json``.

    Raises:
        StoreError: if it is damaged or was written by a newer version.
    """
    record: RunInfo = _read_record(run / "run.json", RunInfo)
    return record


def read_gate(run: Path, info: RunInfo) -> Gate | None:
    """Return the gate's stored answer; a run that was killed has none.

    Raises:
        StoreError: if the file is damaged.
    """
    path = run / "gate.json"
    if info.status not in ("complete", "incomplete") or not path.is_file():
        return None
    try:
        return strict_json.record(Gate, files.read(path))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read: {error}.") from None


def read_verdicts(run: Path, torn: list[str] | None = None) -> Iterator[Verdict]:
    """Yield the verdicts of a run, one line at a time.

    Args:
        run: the run's folder.
        torn: receives a note if the last line is incomplete (the process was killed while writing it).

    Raises:
        StoreError: for a damaged line that is not the last, or a newer schema.
    """
    for verdict, _ in read_places(run, torn):
        yield verdict


def read_places(run: Path, torn: list[str] | None = None, *, again: bool = False) -> Iterator[tuple[Verdict, Place]]:
    """Yield the verdicts of a run, each with its place, so that single ones can be read again (:func:`read_at`).

    Args:
        run: the run's folder.
        torn: receives a note if the last line is incomplete.
        again: whether this process has read the run before (:func:`.schema.read_again`).

    Raises:
        StoreError: for a damaged line that is not the last, or a newer schema.
    """
    return _placed(run, VERDICTS, Verdict, torn, schema.read_again if again else schema.read)


def places_as(run: Path, model: type[M], torn: list[str] | None = None) -> Iterator[tuple[M, Place]]:
    """Yield what a model of the caller's keeps of every verdict of a run, as :func:`read_places` does."""
    return _placed(run, VERDICTS, model, torn)


def read_as(run: Path, model: type[M]) -> Iterator[M]:
    """Yield what a model of the caller's keeps of every verdict of a run, and of every evaluation it did not reach.

    Raises:
        StoreError: for a damaged line that is not the last, or a newer schema.
    """
    for name in (VERDICTS, _UNEVALUATED):
        if name != _UNEVALUATED or (run / name).is_file():
            yield from (record for record, _ in _placed(run, name, model))


def _placed(
    run: Path, name: str, model: type[M], torn: list[str] | None = None, read: _Read[M] = schema.read
) -> Iterator[tuple[M, Place]]:
    path = run / name
    info = read_info(run) if (run / "run.json").is_file() else None
    begin = 0
    seen: set[str] = set()
    for number, line in _lines(path):
        if not line.endswith(b"\n"):
            if torn is not None:
                torn.append(f"{path}:{number}: the last line is incomplete: a kill; that verdict is not counted.")
            return
        try:
            record: Any = read(model, line)
        except ValidationError as error:
            raise StoreError(_damage(f"{path}:{number}", line, error)) from None
        for problem in _strange(record, info) if info is not None else ():
            raise StoreError(f"{path}:{number}: damaged: {problem}")
        if record.key in seen:  # never written by a run: which of the two would be the result?
            raise StoreError(f"{path}:{number}: damaged: a second verdict of {record.key}; a run has one of each.")
        seen.add(record.key)
        yield record, Place(begin, len(line))
        begin += len(line)


def _strange(record: Any, info: RunInfo) -> Iterator[str]:
    """Yield what a verdict, or what somebody keeps of one, holds that its run cannot have made."""
    words = info.words
    if record.case.guideline not in words.guidelines:
        yield f"guideline {record.case.guideline!r} is none of this run's; they stand in its run.json."
    if record.case.strategy not in words.strategies:
        yield f"strategy {record.case.strategy!r} is none of this run's; they stand in its run.json."
    for turn in record.turns:
        if len(turn.scores) > len(info.judges):
            yield f"T{turn.index} has {len(turn.scores)} scores, and the run {len(info.judges)} judges."
        yield from _third(turn, info)


def _third(turn: Any, info: RunInfo) -> Iterator[str]:
    """Yield how a turn was not decided as the run's rules have it: by a third judge if, and only if, two differ."""
    if info.third is None:
        if turn.third is not None:
            yield f"T{turn.index} has a third judge's score, and the run no third judge."
        return
    far, scores = info.thresholds.get("judges", {}).get("contested", 3.0), [score.value for score in turn.scores]
    contested = len(scores) == 2 and None not in scores and abs(scores[0] - scores[1]) > far + SLACK
    if contested is not (turn.third is not None):
        yield f"T{turn.index}: a third judge is asked where two differ by more than {far:g}; the scores are {scores}."


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with files.open_ordinary(path) as stream:
            yield from files.lines(stream)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None


def read_at(run: Path, places: Iterable[Place]) -> Iterator[Verdict]:
    """Yield the verdicts at these places, in their order.

    Raises:
        StoreError: if the file changed meanwhile.
    """
    path = run / VERDICTS
    try:
        with files.open_ordinary(path) as stream:
            for place in places:
                stream.seek(place.begin)
                line = stream.read(place.length)
                try:
                    yield schema.read_again(Verdict, line)
                except ValidationError as error:
                    raise StoreError(_damage(f"{path} at byte {place.begin}", line, error)) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None


def read_unevaluated(run: Path) -> Iterator[Verdict]:
    """Yield empty verdicts of what a run was asked for and did not reach; none if it was complete or killed.

    Raises:
        StoreError: for a damaged line.
    """
    if (run / _UNEVALUATED).is_file():
        yield from (verdict for verdict, _ in _placed(run, _UNEVALUATED, Verdict))


def _read_record(path: Path, model: type[Any]) -> Any:
    try:
        data = files.read(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
    try:
        return schema.read(model, data)
    except ValidationError as error:
        raise StoreError(_damage(str(path), data, error)) from None


def _damage(place: str, data: bytes, error: ValidationError) -> str:
    try:
        version = strict_json.value(data).get("schema_version", SCHEMA_VERSION)
    except (ValueError, AttributeError):
        version = None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        known = f"schema {version}, this one reads {SCHEMA_VERSION}"
        return f"{place}: written by a newer version ({known}). Upgrade jmedethic-pytest."
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{place}: damaged: {field or 'the line'}: {first['msg']}."
