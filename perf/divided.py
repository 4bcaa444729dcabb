"""A run in shards beside the undivided one: ``python perf/divided.py [--cases 54180] [--shards 16] [--at-once 2]``.

The bundled conversations again and again with new ids, demo models, nothing sent anywhere. Measures time and the
largest resident set of every process, and holds the figures of the merged run against those of the undivided one.
With all 54,180 conversations it writes the table of docs/explanation/scale.md. A quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pages
from processes import Clock, Finished, run
from workload import write_cases

_ALL = 54_180
_PAGE = pages.DOCS / "explanation" / "scale.md"
_LIMIT = 3_600.0
_MOST_MIB = 400


class Measured(NamedTuple):
    """What the parts cost."""

    whole: Finished
    shards: list[Finished]
    together: float
    """Seconds of all shards, so many at once."""
    merge: Finished
    same: bool
    """Whether the figures are equal."""


def measure(cases: int, shards: int, at_once: int, work: Path) -> Measured:
    """Run everything once."""
    clock = Clock(2 * _LIMIT)
    file = write_cases(work / "cases.jsonl", cases)
    options = ["--model=demo:aligned", f"--cases={file}", "--suite=core", "--report=off"]
    program = [sys.executable, "-m", "jmedethic_pytest"]

    def evaluated(reports: Path, *more: str) -> Finished:
        command = [*program, "run", *options, f"--reports={reports}", *more]
        return run(command, clock=clock, limit=_LIMIT, statuses=(0, 6))

    whole = evaluated(work / "whole")
    begun = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        parts = range(1, shards + 1)
        done = list(pool.map(lambda number: evaluated(work / f"part{number}", f"--shard={number}/{shards}"), parts))
    together = time.perf_counter() - begun
    folders = [str(work / f"part{number}") for number in parts]
    merge = run(
        [*program, "merge", *folders, f"--reports={work / 'merged'}", "--report=off", f"--expect={file}"],
        clock=clock,
        limit=_LIMIT,
        statuses=(0, 6),
    )
    return Measured(whole, done, together, merge, _figures(work / "whole") == _figures(work / "merged"))


def _figures(reports: Path) -> list[object]:
    """Return summary and gate of a run as they are written, and what its conversations were and came to."""
    (folder,) = (reports / "runs").iterdir()
    written: list[object] = [(folder / name).read_bytes() for name in ("summary.json", "gate.json")]
    with (folder / "verdicts.jsonl").open(encoding="utf-8") as lines:
        return [*written, sorted(json.loads(line)["transcript"] for line in lines)]


def table(cases: int, shards: int, at_once: int, found: Measured) -> Iterator[str]:
    """Yield what was measured, as the lines of a table."""
    peak = max(part.peak_mib for part in found.shards)
    yield "| what | wall | CPU | peak memory of a process |"
    yield "|---|---:|---:|---:|"
    yield f"| {cases:,} conversations in one run | {_cost(found.whole)} |"
    cpu = sum(part.cpu for part in found.shards)
    yield f"| {shards} shards, {at_once} at a time | {found.together:.0f} s | {cpu:.0f} s | {peak:.0f} MiB |"
    longest = max(found.shards, key=lambda part: part.wall)
    yield f"| the longest of them | {_cost(longest)} |"
    yield f"| `jmedethic merge` | {_cost(found.merge)} |"
    yield ""
    told = "equal to the undivided run's" if found.same else "**NOT EQUAL** to the undivided run's"
    yield f"Verdicts, figures and gate of the merged run are {told}."


def _cost(part: Finished) -> str:
    return f"{part.wall:.0f} s | {part.cpu:.0f} s | {part.peak_mib:.0f} MiB"


def main() -> int:
    """Measure, print, and write the page if it was the whole; 1 if figures differ or a process was too large."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", type=int, default=_ALL)
    options.add_argument("--shards", type=int, default=16)
    options.add_argument("--at-once", type=int, default=2)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="jmedethic-divided-") as work:
        found = measure(given.cases, given.shards, given.at_once, Path(work))
    text = pages.told(table(given.cases, given.shards, given.at_once, found))
    if given.cases == _ALL:
        pages.publish(_PAGE, "perf/divided.py", text)
    sizes = [part.peak_mib for part in (found.whole, *found.shards, found.merge)]
    return int(not found.same or max(sizes) > _MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
