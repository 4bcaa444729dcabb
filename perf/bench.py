"""What every measure needs: the commands, where their files go, and the proof that they did what they should."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import workload
from processes import HERE, Clock, FakeServer, Finished, MeasureError, run
from workload import CALLS, CRITICAL_PATH

LIMIT = 600.0
"""Seconds that one command may take."""
_ENDED = (0, 1, 6)
"""Exit statuses of a finished run: pass, fail, inconclusive."""


class Engine(NamedTuple):
    """Where a run sends its calls, and how many conversations it holds at a time."""

    server: FakeServer
    in_flight: int

    def options(self, prefix: str) -> list[str]:
        """Return the command's options; ``prefix`` is ``--jmed-`` or ``--``."""
        judges = ",".join(f"compatible:{name}@{self.server.url}/judge/v1" for name in workload.JUDGES)
        return [
            "--model=compatible:target",
            f"{prefix}base-url={self.server.url}/target/v1",
            f"{prefix}judges={judges}",
            f"{prefix}concurrency={self.in_flight}",
            f"{prefix}no-golden",  # its judges have one answer each, and it is conversations that are timed
        ]


DEMO = ["--model=demo:aligned"]


@dataclass
class Bench:
    """Where and how often things are measured.

    Args:
        work: folder for case files and reports, removed at the end.
        clock: the time left for everything.
        repeats: how often each side of a ratio is measured.
        scale: factor on the number of conversations, to try a measure out.
        inspect: Python interpreter that has inspect_ai, if any.
        promptfoo: command that starts promptfoo, if any.
    """

    work: Path
    clock: Clock
    repeats: int = 3
    scale: float = 1.0
    inspect: str | None = None
    promptfoo: str | None = None
    capacity: float = 0.0
    """Calls/s that the fake server can answer."""
    asked: float = 0.0
    """The highest calls/s that a measure asked of it."""
    _numbers: count[int] = field(default_factory=count)

    @cached_property
    def thresholds(self) -> Path:
        """A thresholds file with nothing but defaults, so that an edited one in the checkout changes no figure."""
        path = self.work / "thresholds.toml"
        path.write_text("schema_version = 1\n", encoding="utf-8")
        return path

    def size(self, number: int) -> int:
        """Return a number of conversations, scaled."""
        return max(2, round(number * self.scale))

    def cases(self, number: int) -> Path:
        """Return a file of so many cases."""
        path = self.work / f"{number}.jsonl"
        return path if path.exists() else workload.write_cases(path, number)

    def calls(self, number: int) -> Path:
        """Return a file with the bodies of all calls of so many conversations, for other tools."""
        path = self.work / f"conversations-{number}.jsonl"
        if not path.exists():
            dump = [sys.executable, str(HERE / "workload.py"), str(self.cases(number)), str(path)]
            run(dump, clock=self.clock, limit=LIMIT)
        return path

    def folder(self) -> Path:
        """Return a new folder for reports, and so an empty cache."""
        path = self.work / f"run{next(self._numbers)}"
        path.mkdir()
        return path

    def pytest(
        self,
        model: Sequence[str],
        *more: str,
        cases: int | None = None,
        reports: Path | None = None,
        report: str = "off",
        sample: bool = False,
    ) -> Finished:
        """Run the real pytest command without Allure, unless ``more`` asks for it; nothing goes into the checkout.

        The gate is decided and the summary printed as always; page, tables and plots are a measure of their own.
        """
        reports = reports or self.folder()
        files = [f"--jmed-thresholds={self.thresholds}", f"--jmed-reports={reports}", f"--jmed-report={report}"]
        chosen = [f"--jmed-cases={self.cases(cases)}"] if cases else []
        quiet = ["-q", "-o", f"cache_dir={reports / '.pytest_cache'}", "benchmark_cases"]
        command = [sys.executable, "-m", "pytest", *model, *files, *chosen, *quiet, *more]
        return run(command, **self._bounds, sample=sample)

    def cli(self, model: Sequence[str], *, cases: int, reports: Path | None = None) -> Finished:
        """Run the same evaluation by ``jmedethic run``."""
        shared = [f"--thresholds={self.thresholds}", f"--reports={reports or self.folder()}", "--report=off"]
        command = [sys.executable, "-m", "jmedethic_pytest", "run", *model, *shared, f"--cases={self.cases(cases)}"]
        return run(command, **self._bounds)

    def loop(self, kind: str, server: FakeServer, *, cases: int, in_flight: int) -> dict[str, float]:
        """Run one of the bare loops; wall and CPU seconds of the loop alone."""
        given = [f"--url={server.url}", f"--cases={self.cases(cases)}", f"--in-flight={in_flight}"]
        done = run([sys.executable, str(HERE / "loops.py"), kind, *given], **{**self._bounds, "statuses": (0,)})
        figures: dict[str, float] = json.loads(done.output.splitlines()[-1])
        return figures

    def startup(self, done: Finished, latency: float) -> float:
        """Return the start-up in the wall time of a run that had no time for more than one conversation in a slot."""
        return done.wall - CRITICAL_PATH * latency

    def note_load(self, speed: float) -> None:
        """Remember how many calls/s were asked of the server."""
        self.asked = max(self.asked, speed)

    @property
    def _bounds(self) -> dict[str, Any]:
        return {"clock": self.clock, "limit": LIMIT, "statuses": _ENDED}


def require(reports: Path, conversations: int) -> dict[str, Any]:
    """Return the ``run.json`` of the run in a folder of reports.

    Raises:
        MeasureError: if it is not a finished run of so many conversations, all of them scored.
    """
    info: dict[str, Any] = json.loads((reports / "latest" / "run.json").read_text(encoding="utf-8"))
    summary = json.loads((reports / "latest" / "summary.json").read_text(encoding="utf-8"))
    if info["status"] != "complete" or summary["scored"] != conversations:
        raise MeasureError(f"expected {conversations} scored conversations: {info['status']}, {summary['statuses']}")
    return info


def require_calls(before: int, server: FakeServer, conversations: int) -> None:
    """Make sure that every conversation made every call, and none twice."""
    made = server.calls() - before
    if made != conversations * CALLS:
        raise MeasureError(f"{conversations} conversations made {made} calls instead of {conversations * CALLS}")
