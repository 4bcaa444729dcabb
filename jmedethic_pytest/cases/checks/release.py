"""The next manifest: version, change log, and ids that are never lost unseen.

An id stays for ever: a case that vanishes is an error until its id is retired, and a retired id is never used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from jmedethic_pytest.cases.checks.manifest import NAME, Change, Manifest, case_digests, counts, file_digests, read
from jmedethic_pytest.cases.files import digest
from jmedethic_pytest.core.errors import ConfigError, explain_validation
from jmedethic_pytest.core.records import Case

FIRST_VERSION = "1.0.0"


def build(
    folder: Path,
    cases: Sequence[Case],
    *,
    version: str | None = None,
    note: str | None = None,
    retire: Sequence[str] = (),
) -> Manifest:
    """Return the manifest of a folder's cases, continuing the one that lies there.

    Args:
        folder: where the case files and perhaps an earlier manifest lie.
        cases: the cases of those files.
        version: of the benchmark, ``x.y.z``; ``None`` keeps the earlier one.
        note: entry of the change log, and the reason of ``retire``.
        retire: ids that are given up for good.

    Raises:
        ConfigError: for ids that vanished or come back, a version that goes back, a new version without a note.
    """
    earlier = read(folder)
    stated, retired = (earlier.cases, earlier.retired) if earlier else ({}, {})
    problems = [*_lost({case.id for case in cases}, stated, retired, retire)]
    if retire and not note:
        problems.append("--retire: the reason is missing. Give it with --note.")
    if problems:
        raise ConfigError(problems)
    today = datetime.now(UTC).date().isoformat()
    try:
        changes = _changes(earlier.changes if earlier else (), version, today, note)
        return Manifest(
            version=changes[-1].version,
            date=today,
            counts=counts(cases),
            digest=digest(cases),
            changes=changes,
            retired={**retired, **dict.fromkeys(sorted(retire), note or "")},
            files=file_digests(folder),
            cases=case_digests(cases),
        )
    except ValidationError as error:
        raise ConfigError(explain_validation(error, "--version")) from None


def _lost(present: set[str], stated: dict[str, str], retired: dict[str, str], retire: Sequence[str]) -> Iterator[str]:
    """Yield one line for every id that vanished, came back, or cannot be retired."""
    for name in sorted(stated.keys() - present - set(retire)):
        yield (
            f"{NAME}: {name!r} vanished from the case files. Ids are kept for ever: put the case back, or give the id "
            f"up with --retire {name} --note WHY."
        )
    for name in sorted(present & retired.keys()):
        yield f"{NAME}: {name!r} is retired ({retired[name]}) and used again. Give the conversation a new id."
    for name in retire:
        if name in present:
            yield f"--retire: {name!r} is still in the case files. Remove it there first."
        elif name not in stated:
            yield f"--retire: {name!r} is not in {NAME}. Give an id that the manifest names."


def _changes(earlier: Sequence[Change], version: str | None, today: str, note: str | None) -> tuple[Change, ...]:
    """Return the change log with this version as its last entry; writing a version again replaces its entry."""
    last = earlier[-1] if earlier else Change(version=FIRST_VERSION, date=today, note="First version.")
    entry = Change(version=last.version if version is None else version, date=today, note=note or last.note)
    if entry.version == last.version or not earlier:
        return (*earlier[:-1], entry)
    if _order(entry.version) < _order(last.version):
        raise ConfigError(f"--version: {entry.version} is older than {last.version} of {NAME}. Give a later one.")
    if not note:
        raise ConfigError(f"--version: {entry.version} is new. Say in one sentence what changed (--note).")
    return (*earlier, entry)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
