"""A stage that can be killed at any moment and resumed: one line per finished item, flushed, never asked for again.

``<folder>/<stage>.jsonl``: the first line is the header (licence, content warning, provenance), every other line one
item with its records and drops. While the stage runs, lines stand in the order in which they were finished; when all
items are done the file is replaced by the same lines in order of their keys. ``<folder>/<stage>.json`` then holds the
counts and the digest: equal digests mean equal records and equal drops, however often the stage was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from jmedethic_pytest.generation.machinery import meter
from jmedethic_pytest.generation.machinery.files import Header, ItemFile, Line, Summary, write_summary
from jmedethic_pytest.generation.machinery.meter import Spent
from jmedethic_pytest.generation.machinery.records import Drop, Made, R
from jmedethic_pytest.generation.quality import policy

I = TypeVar("I")  # noqa: E741 - an item


class State(NamedTuple):
    """Where a stage stands."""

    stage: str
    done: int
    """Finished items, those of earlier runs included."""
    planned: int | None
    kept: int
    dropped: int


Progress = Callable[[State], None]


def silent(_state: State) -> None:
    """Show nothing."""


class _Counts:
    """What the lines of a stage add up to."""

    def __init__(self) -> None:
        self.kept = 0
        self.drops: Counter[str] = Counter()
        self.spent: dict[str, Spent] = {}

    def add(self, line: Line) -> None:
        self.kept += len(line.records)
        self.drops.update(drop.reason for drop in line.drops)
        for name, spent in line.spent.items():
            self.spent[name] = self.spent.get(name, Spent()).plus(spent)

    def close(self, folder: Path, header: Header, items: int, digest: str) -> Summary:
        """Write the summary of a finished stage, and return it."""
        summary = Summary(
            header=header,
            items=items,
            kept=self.kept,
            drops=dict(sorted(self.drops.items())),
            spent=dict(sorted(self.spent.items())),
            digest=digest,
        )
        write_summary(folder, summary)
        return summary


async def run_stage(
    header: Header,
    items: Iterable[I],
    work: Callable[[I], Awaitable[Made[R]]],
    *,
    folder: Path,
    key: Callable[[I], str],
    concurrency: int,
    planned: int | None = None,
    progress: Progress = silent,
) -> Summary:
    """Do the work on every item that is not done yet, and close the stage.

    Args:
        header: name, provenance and settings of the stage; a file made with other settings is refused.
        items: everything the stage has to do; read lazily, so that it may be a stream.
        work: turns one item into records and drops. A :class:`~jmedethic_pytest.core.errors.JmedError` it raises ends
            the stage; everything about a single item is a drop.
        folder: where the stage's files are.
        key: names an item; must be unique, and must change with everything that changes the item.
        concurrency: items in work at a time.
        planned: number of items, if known, for the progress.
        progress: told after every item.

    Raises:
        ConfigError: if the file there was made with other settings.
        StoreError: if the file cannot be read or written.
        RunAborted: if the stage cannot go on; what is finished is stored.
    """
    with ItemFile(folder, header) as file:
        counts = _Counts()
        for line in file.lines():
            counts.add(line)
        wanted = _Wanted(items, key, file)

        async def worker() -> None:
            for name, item in wanted:
                spending = meter.start()
                made = await work(item)
                line = policy.screen(name, made, spending.spent)
                file.append(line)
                counts.add(line)
                wanted.done += 1
                progress(State(header.stage, wanted.done, planned, counts.kept, counts.drops.total()))
                await asyncio.sleep(0)  # Models that answer at once would otherwise never let Ctrl-C through.

        progress(State(header.stage, 0, planned, counts.kept, counts.drops.total()))
        await _together([worker() for _ in range(concurrency)])
        counts = _Counts()
        digest = file.finish(wanted.keys, counts.add)
    summary = counts.close(folder, header, len(wanted.keys), digest)
    progress(State(header.stage, summary.items, summary.items, summary.kept, sum(summary.drops.values())))
    return summary


class _Wanted(Generic[I]):
    """The items still to be done, drawn by all workers from one stream."""

    def __init__(self, items: Iterable[I], key: Callable[[I], str], file: ItemFile) -> None:
        self._items = iter(items)
        self._key = key
        self._file = file
        self.keys: set[str] = set()
        """Keys of all items drawn so far: what the finished file will hold."""
        self.done = 0
        """Items that are finished, in this run or an earlier one."""

    def __iter__(self) -> Iterator[tuple[str, I]]:
        for item in self._items:
            name = self._key(item)
            assert name not in self.keys, f"two items have the key {name!r}"
            self.keys.add(name)
            if self._file.has(name):
                self.done += 1
            else:
                yield name, item


async def _together(workers: list[Awaitable[None]]) -> None:
    """Wait for all; the first that fails ends the others, and its error is the stage's."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(BaseException):
            await asyncio.gather(*tasks, return_exceptions=True)


def derive(header: Header, made: Iterable[tuple[str, Made[R]]], *, folder: Path) -> Summary:
    """Write a stage that asks no model: what follows from earlier files is computed anew each time.

    Args:
        header: name, provenance and settings of the stage.
        made: key and result of every item.
        folder: where the stage's files are.

    Raises:
        StoreError: if the file cannot be written.
    """
    counts, keys = _Counts(), set[str]()
    with ItemFile(folder, header, fresh=True) as file:
        for name, result in made:
            line = policy.screen(name, result, {})
            file.append(line)
            keys.add(name)
        digest = file.finish(keys, counts.add)
    return counts.close(folder, header, len(keys), digest)


def drops(folder: Path, stage: str) -> Iterator[Drop]:
    """Yield every drop of a finished stage."""
    for line in ItemFile.read(folder, stage):
        yield from line.drops


def records(folder: Path, stage: str, model: type[R]) -> Iterator[R]:
    """Yield the records of a finished stage in order of their items, one line in memory at a time.

    Raises:
        ConfigError: if the stage is not finished.
        StoreError: if its file is damaged.
    """
    for line in ItemFile.read(folder, stage):
        for content in line.records:
            yield model.model_validate(content)
