"""The shards of a run, found where the user says and held against each other: one run, whole, and nothing twice."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jmedethic_pytest.cases.files import case_digest, digest_in_order
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cases.selection import Selection, select
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.shards import MergedOf, Shard
from jmedethic_pytest.run import shards_alike, witness
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.runs import Place

_SHOWN = 5


class NotOneRun(StoreError):  # noqa: N818 - an outcome, as users read it
    """Shards cannot be made one run; carries every reason.

    Args:
        problems: one text for each, with the next step.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class StoredShard:
    """A stored run that is part of another."""

    path: Path
    """Its folder."""
    info: RunInfo
    shard: Shard

    def __str__(self) -> str:
        """Return what it is called in a text for people."""
        return f"shard {self.shard} ({self.path})"


@dataclass(frozen=True)
class Content:
    """What the shards hold together."""

    places: dict[str, tuple[Path, Place]]
    """Where each verdict stands, by key, in the order of the keys."""
    transcripts: dict[str, str]
    """Digest of every transcript, by key."""
    merged: tuple[MergedOf, ...]
    """What the shards are, by their numbers."""


def find(folders: Sequence[Path]) -> list[StoredShard]:
    """Return the shards in these folders, by their numbers, once they make one run by all that ``run.json`` says.

    Args:
        folders: runs, folders of reports, or other folders with runs. Of a folder with several runs those that are no
            shards are of no matter, nor one that was broken off before a complete run of the same shard.

    Raises:
        NotOneRun: naming everything that is wrong.
    """
    named: dict[Path, StoredShard] = {}
    beside: dict[Path, StoredShard] = {}
    problems: list[str] = []
    for folder in folders:
        is_run = (folder / "run.json").is_file()
        paths = [folder] if is_run else _runs_in(folder)
        found = {}
        for path in paths:
            try:
                info = run_files.read_info(path)
            except StoreError as error:
                problems.append(str(error))
                continue
            if info.shard is not None:
                found[path.resolve()] = StoredShard(path, info, info.shard)
        if not found:
            problems.append(f"{folder}: holds no shard of a run. Give folders of runs made with --jmed-shard.")
        again = [str(shard) for path, shard in found.items() if path in named.keys() | beside.keys()]
        problems += [f"{name} is named twice. Give every folder once." for name in again]
        (named if is_run else beside).update(found)
    shards = sorted([*named.values(), *_last(beside.values())], key=lambda item: (item.shard.number, item.info.started))
    problems += [*_unfinished(shards), *_numbers(shards), *shards_alike.differences([(str(s), s.info) for s in shards])]
    if problems:
        raise NotOneRun(problems)
    return shards


def _runs_in(folder: Path) -> list[Path]:
    return run_files.runs(folder) or sorted(path.parent for path in folder.glob("*/run.json"))


def _last(shards: Iterable[StoredShard]) -> Iterator[StoredShard]:
    """Leave out what was broken off and then made anew to its end."""
    known = list(shards)
    ends: dict[Shard, str] = {}
    for item in known:
        if item.info.status == "complete":
            ends[item.shard] = max(ends.get(item.shard, ""), item.info.started)
    yield from (
        item for item in known if item.info.status == "complete" or item.info.started > ends.get(item.shard, "")
    )


def _unfinished(shards: Sequence[StoredShard]) -> Iterator[str]:
    for item in shards:
        info = item.info
        if info.status != "complete" or info.looks is not None:
            why = f": {info.note}" if info.note else ""
            yield f"{item} is {info.stopped_early or info.status}{why}. Next: go on with it: {' '.join(info.command)}"
        elif info.transcripts_of is not None:
            yield (
                f"{item} scores replies that were collected before. Next: merge the collections, and score the run "
                "that comes of them (`jmedethic judge`): scores that are in the cache cost nothing."
            )


def _numbers(shards: Sequence[StoredShard]) -> Iterator[str]:
    """Yield that shards are missing, doubled or of another division."""
    counts = sorted({item.shard.count for item in shards})
    if len(counts) > 1:
        yield f"the shards are of divisions into {' and '.join(map(str, counts))}. Give those of one division."
        return
    by_number: dict[int, list[StoredShard]] = defaultdict(list)
    for item in shards:
        by_number[item.shard.number].append(item)
    for several in by_number.values():
        if len(several) > 1:
            where = " and ".join(str(item.path) for item in several)
            yield f"shard {several[0].shard} is there {len(several)} times: {where}. Give the one that counts."
    lacking = [number for count in counts for number in range(1, count + 1) if number not in by_number]
    if lacking:
        shown = ", ".join(map(str, lacking[:_SHOWN])) + (", ..." if len(lacking) > _SHOWN else "")
        word = "shard" if len(lacking) == 1 else "shards"
        yield f"{word} {shown} of {counts[0]} missing. Next: run with --jmed-shard, or give the folders too."


def read(shards: Sequence[StoredShard], expected: Path | None = None) -> Content:
    """Read what the shards hold, and find it whole and as it was stored.

    Args:
        shards: of :func:`find`.
        expected: a case file or folder that the run must have been asked for, in the selection it tells of.

    Raises:
        NotOneRun: naming every shard that lacks evaluations or was changed, and how cases are not those that were asked
            for.
    """
    problems = [] if expected is None else list(_unexpected(shards[0].info, expected))
    places: dict[str, tuple[Path, Place]] = {}
    transcripts: dict[str, str] = {}
    cases: dict[str, str] = {}
    for item in shards:
        found = Counter[str]()
        own: dict[str, str] = {}
        for verdict, place in run_files.read_places(item.path):
            found[verdict.key] += 1
            places[verdict.key] = (item.path, place)
            transcripts[verdict.key] = verdict.transcript
            own[verdict.case.id] = case_digest(verdict.case)
        problems += _unsound(item, len(found), own, cases)
        cases.update(own)
    whole, info = shards[0].shard.cases, shards[0].info
    if not problems and (_digest(cases) != whole or len(places) != len(cases) * info.selection.get("repeats", 1)):
        problems.append(
            f"the {len(places)} evaluations of {len(cases)} cases are not those that the shards were divided from. "
            "Next: make the shards again, all from the same cases."
        )
    if problems:
        raise NotOneRun(problems)
    merged = tuple(MergedOf(run=s.info.id, shard=str(s.shard), verdicts=_sha256(s.path)) for s in shards)
    return Content({key: places[key] for key in sorted(places)}, transcripts, merged)


def _unsound(item: StoredShard, evaluations: int, own: dict[str, str], others: dict[str, str]) -> Iterator[str]:
    """Yield how the verdicts of a shard are not what it was asked for, or not as they were stored."""
    again = f"Next: make it again: {' '.join(item.info.command)}"
    if not evaluations == item.shard.evaluations == item.info.selected:
        left = f"{evaluations} of its {item.shard.evaluations} evaluations"
        yield f"{item} holds {left} (-k, -m or --deselect leave some out, or lines are lost). {again}"
    elif _digest(own) != item.info.digests["cases"]:
        yield f"{item} holds other cases than it was asked for. {again}"
    if "transcripts" not in item.info.digests:
        yield f"{item} has no digest of its transcripts. {again}"
    yield from (f"{item}: {doubt}. {again}" for doubt in witness.doubts(item.path, item.info))
    both = sorted(own.keys() & others.keys())
    if both:
        yield f"{item} and an earlier one both hold {len(both)} cases: {', '.join(both[:_SHOWN])}. {again}"


def _unexpected(info: RunInfo, expected: Path) -> Iterator[str]:
    """Yield that the cases of the whole run are not those of a file, in its selection."""
    assert info.shard is not None
    try:
        index = CaseIndex.read([expected])
        chosen = select(list(index.labels.values()), Selection.model_validate(info.selection), index.vocabulary)
    except ConfigError as error:
        yield from (f"--expect: {problem}" for problem in error.problems)
        return
    dropped = set(info.selection.get("dropped", ()))
    wanted = index.choose(label for label in chosen if label.id not in dropped)
    if wanted.digest != info.shard.cases:
        yield (
            f"--expect: the shards were not divided from the {len(wanted)} cases that {expected} holds for their "
            f"selection (digest {wanted.digest[:12]}, theirs {info.shard.cases[:12]}). Give those they were made of."
        )


def _digest(cases: dict[str, str]) -> str:
    return digest_in_order(cases[case] for case in sorted(cases))


def _sha256(run: Path) -> str:
    with (run / run_files.VERDICTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
