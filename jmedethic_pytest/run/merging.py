"""One run made of the shards of a divided one: verdicts as they were stored, figures and gate of all of them.

The folder is put together beside the runs and gets its name at one stroke. The name follows from the shards, so that
the same shards make the same run, once, however often and by however many processes they are merged: no lock is needed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.gate.outcome import Outcome, load
from jmedethic_pytest.reports import files as report_files
from jmedethic_pytest.run import merged, shards
from jmedethic_pytest.run.shards import Content, StoredShard
from jmedethic_pytest.store import companions
from jmedethic_pytest.store import runs as run_files

_TAIL = 8
"""Digits of the digest that a merged run's id ends in."""


@dataclass(frozen=True)
class Merged:
    """A merged run."""

    outcome: Outcome
    shards: tuple[StoredShard, ...]
    new: bool
    """Whether this call has made it: if not, the same shards were merged before."""


def merge(
    folders: Sequence[Path],
    reports: Path,
    *,
    expected: Path | None = None,
    command: Sequence[str] = (),
    shared: bool = False,
    draw: bool = True,
) -> Merged:
    """Make one run of shards; nothing is called, and they stay as they are.

    Args:
        folders: where the shards are (:func:`jmedethic_pytest.run.shards.find`).
        reports: where the merged run is stored, and the baselines of the run are.
        expected: a case file or folder that the whole run must have been asked for.
        command: what is recorded as having made it.
        shared: whether others may look into its folder.
        draw: whether tables, plots and page are written.

    Raises:
        NotOneRun: naming every reason why the shards are not one run; nothing was written then.
        StoreError: if a shard cannot be read, or the merged run not be written.
    """
    found = shards.find(folders)
    content = shards.read(found, expected)
    parts = content.merged
    last = max(datetime.fromisoformat(item.info.finished or item.info.started) for item in found)
    tail = files.compact_digest([part.model_dump() for part in parts])[:_TAIL]
    run_id = run_files.run_id(found[0].info.target["model"], last.astimezone(UTC), tail)
    there = reports / "runs" / run_id
    if not there.exists():
        store = run_files.RunStore(reports, f".merging-{secrets.token_hex(8)}", shared=shared)
        try:
            store.copy(_lines(content))
            info = merged.record(found, content, run_id, command)
            del content  # the figures need its room
            outcome = _made(store, found, info, draw=draw)
        except BaseException:
            if store.path.name.startswith("."):
                store.discard()
            raise
        if outcome is not None:
            return Merged(outcome, tuple(found), new=True)
    if run_files.read_info(there).merged != parts:
        raise StoreError(f"{there}: holds another run than these shards make. Give another folder (--reports).")
    return Merged(load(there), tuple(found), new=False)


def _made(store: run_files.RunStore, found: Sequence[StoredShard], info: RunInfo, *, draw: bool) -> Outcome | None:
    """Give the run that was put together its figures and its name; ``None`` if another process was faster."""
    for item in found:
        for beside in companions.read(item.path):
            companions.append(store.path, beside)
    store.write_info(info)
    outcome = load(store.path)
    outcome = replace(outcome, info=outcome.provenance.noted(outcome.info))
    report_files.write(outcome, store)
    if not store.settle(info.id):
        return None
    outcome = replace(outcome, path=store.path)
    return report_files.draw(outcome, store) if draw else outcome


def _lines(content: Content) -> Iterator[bytes]:
    """Yield the stored lines in the order of the keys."""
    for path, several in groupby(content.places.values(), key=lambda place: place[0]):
        try:
            with (path / run_files.VERDICTS).open("rb") as stream:
                for _, place in several:
                    stream.seek(place.begin)
                    yield stream.read(place.length)
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
