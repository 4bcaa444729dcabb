"""``MANIFEST.json``: version, counts, licence and the sha256 of every file and case of a complete benchmark."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.files import case_digest, digest
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, StoreError, explain_validation
from jmedethic_pytest.core.records import Case, Record

NAME = "MANIFEST.json"
WRITE = "jmedethic cases manifest --write"
BUILD = "BUILD.json"
"""Beside cases that ``jmedethic generate`` built: where they come from, and the same digests."""

LICENCE = "CC BY 4.0"
AUTHORSHIP = (
    "Written for this project by its authors with the assistance of a language model. "
    "No clinician or lawyer has reviewed the texts yet."
)

Version = Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Change(Record):
    """One entry of the change log."""

    version: Version
    date: str
    note: str


class Manifest(Record):
    """The whole file."""

    schema_version: Literal[1] = 1
    version: Version
    date: str
    """Day of writing, ISO 8601, UTC."""
    licence: str = LICENCE
    authorship: str = AUTHORSHIP
    counts: dict[str, dict[str, int]]
    """Cases by suite and locale."""
    digest: Sha256
    """Over all cases, as a run of all of them records it."""
    changes: tuple[Change, ...]
    """Oldest first; the last one is this version's."""
    retired: dict[str, str] = Field(default_factory=dict)
    """Ids that existed once and are never used again, with the reason."""
    files: dict[str, Sha256]
    cases: dict[str, Sha256]


def read(folder: Path) -> Manifest | None:
    """Return the folder's manifest, ``None`` if there is none.

    Raises:
        ConfigError: for a file that cannot be read or is no manifest of this version.
    """
    path = folder / NAME
    try:
        return strict_json.record(Manifest, files.read(path)) if path.exists() else None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise ConfigError(explain_validation(error, str(path), Manifest.model_fields)) from None


def write(folder: Path, manifest: Manifest) -> Path:
    """Replace the folder's manifest at one stroke and return its path.

    Raises:
        ConfigError: if the file cannot be written.
    """
    path = folder / NAME
    try:
        files.replace(path, files.as_json(manifest.model_dump(mode="json")), "Give another folder (--cases).")
    except StoreError as error:
        raise ConfigError(str(error)) from None
    return path


def check(folder: Path, cases: Sequence[Case]) -> Iterator[Finding]:
    """Yield a finding for every file and case of a folder that is not what its manifest says."""
    try:
        manifest = read(folder)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("manifest.unreadable", NAME, "", problem, "Restore the file, or delete it and write it anew.")
        return
    if manifest is None:
        yield Finding("manifest.missing", NAME, "", f"does not exist in {folder}.", f"Write it: {WRITE}.")
        return
    files = file_digests(folder)
    yield from _compare("file", manifest.files, files, f"Put it back, or record the loss: {WRITE}.")
    lost = f"Ids are kept for ever: put the case back, or give the id up: {WRITE} --retire ID --note WHY."
    yield from _compare("case", manifest.cases, case_digests(cases), lost)
    for case in cases:
        if case.id in manifest.retired:
            found = f"this id is retired ({manifest.retired[case.id]})."
            yield Finding("manifest.retired", case.id, "id", found, "Give the conversation a new id.")
    if files == manifest.files and (manifest.counts, manifest.digest) != (counts(cases), digest(cases)):
        found = "counts or digest are not those of the cases."
        yield Finding("manifest.edited", NAME, "", found, f"Do not edit the file by hand: {WRITE}.")


def check_build(folder: Path, cases: Sequence[Case]) -> Iterator[Finding]:
    """Yield a finding for every file and case of a built folder that is not as it was built; none without a build."""
    path = folder / BUILD
    if not path.is_file():
        return
    try:
        stated = strict_json.record(_Stated, files.read(path))
    except (OSError, ValidationError):
        advice = "Restore the file, or build the cases anew: jmedethic generate split."
        yield Finding("manifest.unreadable", BUILD, "", "cannot be read.", advice)
        return
    for kind, built, present in (
        ("file", stated.files, file_digests(folder)),
        ("case", stated.cases, case_digests(cases)),
    ):
        for name in sorted(built.keys() | present.keys()):
            if built.get(name) != present.get(name):
                what = (
                    "is gone" if name not in present else "is not of the build" if name not in built else "was changed"
                )
                advice = f"Undo it, or change cases in the review sheet; in a folder of your own delete {BUILD}."
                yield Finding("manifest.built", name, "", f"this {kind} {what} since {BUILD} was written.", advice)


class _Stated(BaseModel):
    files: dict[str, str]
    cases: dict[str, str]


def _compare(kind: str, stated: dict[str, str], present: dict[str, str], lost: str) -> Iterator[Finding]:
    for name in sorted(stated.keys() | present.keys()):
        if name not in present:
            yield Finding("manifest.vanished", name, "", f"this {kind} of the manifest is gone.", lost)
        elif name not in stated:
            yield Finding("manifest.new", name, "", f"this {kind} is not in the manifest.", f"Add it: {WRITE}.")
        elif stated[name] != present[name]:
            found = f"this {kind} is not the manifest's (sha256 {present[name][:12]}, stated {stated[name][:12]})."
            yield Finding("manifest.changed", name, "", found, f"Undo the change, or record it: {WRITE}.")


def counts(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """Return the number of cases by suite and locale."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for case in cases:
        for suite in case.suites:
            found[suite][case.locale] += 1
    return {suite: dict(sorted(locales.items())) for suite, locales in sorted(found.items())}


def file_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of the bytes of every case file of a folder, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.jsonl"))}


def case_digests(cases: Sequence[Case]) -> dict[str, str]:
    """Return the sha256 of every case, by id in order."""
    return {case.id: case_digest(case) for case in sorted(cases, key=lambda case: case.id)}
