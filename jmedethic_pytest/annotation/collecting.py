"""The course of a study: files come in, a third person is asked where two lie too far apart, and it is closed.

Until it is closed a person may send a sheet again: what counts is what was read last, and what was read before stays in
``marks.json``. Once it is closed, and the figures may be seen, nothing more is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.annotation import consolidation, make, reading, sampling, sheets, study
from jmedethic_pytest.annotation.study import Closed, Marked, Marks, Study
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.store import runs as run_files


class Taken(NamedTuple):
    """What reading some files came to."""

    new: int
    """Rows that were not there before."""
    changed: list[str]
    """Rows whose marks differ from what was read before, in words."""
    problems: list[str]


class Progress(NamedTuple):
    """How far a person is."""

    annotator: str
    done: int
    """Replies with a score, those shown twice counted twice."""
    of: int
    rows: tuple[str, ...]
    """Rows of the sheet that lack a score."""


class State(NamedTuple):
    """A study as it lies in its folder."""

    key: Study
    marks: Marks
    closed: Closed | None

    def replies(self) -> list[consolidation.Scored]:
        """Return the raw and consolidated scores."""
        return consolidation.scored(self.key, self.marks.current())


def state(folder: Path) -> State:
    """Read a study.

    Raises:
        StoreError: if there is none, or a file is damaged or does not belong to it.
    """
    key = study.read_key(folder)
    marks = study.read_marks(folder, key)
    return State(key, marks, study.read_closed(folder, key, marks))


def take(folder: Path, paths: Sequence[Path]) -> Taken:
    """Read filled-in sheets and keep what they hold.

    Sound rows are kept whatever is wrong with others.

    Raises:
        StoreError: if the study cannot be read or written.
    """
    now, found = run_files.now(), Taken(0, [], [])
    key, marks, closed = state(folder)
    kept, new = list(marks.marks), 0
    for path in paths:
        read = reading.read(path, key, now)
        found.problems.extend(read.problems)
        news, changed = reading.merged(kept, read.marks)
        if closed is not None and news:
            found.problems.append(_too_late(path, news, closed))
            continue
        found.changed.extend(_replaced(path, mark, kept) for mark in changed)
        new += len(news) - len(changed)
        kept += news
    if len(kept) > len(marks.marks):
        study.write(folder, Marks(study=key.id, marks=tuple(kept)))
    return found._replace(new=new)


def _too_late(path: Path, news: Sequence[Marked], closed: Closed) -> str:
    rows = ", ".join(mark.id for mark in news[:5]) + (", ..." if len(news) > 5 else "")
    return (
        f"{path}: the study was closed on {closed.closed}; {len(news)} rows that differ ({rows}) were not taken. "
        "What is scored after the figures were seen is no longer blind: draw a new sample for it."
    )


def _replaced(path: Path, mark: Marked, kept: Iterable[Marked]) -> str:
    before = next(old for old in reversed(list(kept)) if old.id == mark.id)
    values = (" / ".join("-" if score is None else str(score) for score in item.scores) for item in (before, mark))
    return f"{path}: {mark.id}: {' now '.join(values)}; the earlier marks ({before.file}, {before.read}) are kept too"


def progress(found: State) -> list[Progress]:
    """Return how far everybody is who has a sheet."""
    marks, items = found.marks.current(), found.key.by_key
    listed = []
    for name, places in found.key.sheets.items():
        counts = {place.id: _given(marks.get(place.id)) for place in places}
        needed = {place.id: items[place.key].turns for place in places}
        open_ = tuple(row for row, count in counts.items() if count < needed[row])
        listed.append(Progress(name, sum(counts.values()), sum(needed.values()), open_))
    return listed


def _given(mark: Marked | None) -> int:
    return 0 if mark is None else sum(score is not None for score in mark.scores)


def both_done(found: State) -> bool:
    """Tell whether the two who score everything have done so."""
    return not any(item.rows for item in progress(found) if item.annotator in found.key.annotators)


def name_third(folder: Path, name: str) -> None:
    """Say who decides where two lie too far apart.

    Raises:
        ConfigError: if somebody else was named, or it is one of the two.
    """
    key = study.read_key(folder)
    people = (*key.annotators, name)
    make.check(make.Wanted(sampling.LEAST, people, again=0))
    if key.third not in (None, name):
        raise ConfigError(f"--third: {name!r} is not allowed; the third person of this study is {key.third!r}.")
    study.write(folder, key.model_copy(update={"third": name}))


def ask_third(folder: Path, reports: Path) -> list[str]:
    """Write the third person's sheet: the conversations in which two lie too far apart. Return their evaluations.

    Nothing is written while a sheet of the two is unfinished, no third person is named, or all of them are in it.

    Raises:
        StoreError: if the run is not there, or no longer holds these conversations as they were.
    """
    found = state(folder)
    wanted, key, third = consolidation.for_the_third(found.replies()), found.key, found.key.third
    there = {place.key for place in key.sheets.get(third or "", ())}
    if third is None or found.closed is not None or not both_done(found) or set(wanted) <= there:
        return wanted
    every = sorted({*wanted, *there})
    places = sampling.order(key.id, third, every, [], key.seed)
    key = key.model_copy(update={"sheets": {**key.sheets, third: places}})
    run = run_files.find_run(reports, key.run)
    sheets.write(folder, key, third, make.read_texts(run, key, every), run_files.read_info(run).words)
    study.write(folder, key)
    return wanted


def close(folder: Path) -> Closed:
    """Close a study: from now on its figures may be seen, and no mark is taken any more.

    Raises:
        StoreError: if it is closed already, or nobody has scored anything.
    """
    found = state(folder)
    if found.closed is not None:
        raise StoreError(f"{folder}: the study is closed already, since {found.closed.closed}.")
    replies = found.replies()
    missing = sum(reply.value is None for reply in replies)
    if missing == len(replies):
        raise StoreError(
            f"{folder}: no reply has a score of both people yet. Read their files first: "
            f"jmedethic annotate read {folder} FILE..."
        )
    marks = study.digest(found.marks.marks)
    closed = Closed(closed=run_files.now(), key=found.key.digest(), marks=marks, missing=missing)
    study.write(folder, closed)
    return closed
