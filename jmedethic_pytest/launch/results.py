"""What of a sweep is done: a step is, when its result stands in the store, is whole, and was made by its command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.launch import inputs
from jmedethic_pytest.launch.plan import Plan, Step, Unit
from jmedethic_pytest.store import runs as run_files


class Results:
    """The results of a sweep's steps, looked up in files; what was found once is not looked for again.

    Args:
        plan: the sweep.
        home: the folder its paths are relative to.
    """

    def __init__(self, plan: Plan, home: Path) -> None:
        self._plan = plan
        self._home = home
        self._found: dict[Step, Path] = {}
        self._infos: dict[Path, RunInfo] = {}

    def of(self, step: Step) -> Path | None:
        """Return the run that a step has made, ``None`` if there is none."""
        if step not in self._found:
            path = self._look(step)
            if path is None:
                return None
            self._found[step] = path
        return self._found[step]

    def command(self, step: Step) -> list[str] | None:
        """Return the arguments of ``jmedethic`` that take a step; ``None`` while what it needs is not there."""
        unit, reports = self._plan.unit(step.unit), f"--reports={self._plan.reports}"
        if step.does == "collect":
            return list(self._plan.command(step))
        if step.does == "merge":
            parts = self._parts(unit)
            return ["merge", *map(self._named, parts), reports, "--report=off"] if parts else None
        merged = self.of(Step(step.unit, "merge"))
        return ["judge", merged.name, reports, *self._plan.judge] if merged is not None else None

    def _parts(self, unit: Unit) -> list[Path]:
        """Return the collected parts of a run; none unless all are there."""
        parts = [self.of(part) for part in unit.parts]
        found = [path for path in parts if path is not None]
        return found if len(found) == len(parts) else []

    def _look(self, step: Step) -> Path | None:
        command = self.command(step)
        if command is None:
            return None
        if step.does == "collect":
            unit, reports = self._plan.unit(step.unit), self._home / self._plan.collection(step)
            made = ((path, info) for path, info in self._complete(reports) if _made_by(info, command))
            return next((path for path, info in made if _of_today(info, unit) and _whole(path, info)), None)
        reports = self._home / self._plan.reports
        if step.does == "merge":
            names = [path.name for path in self._parts(self._plan.unit(step.unit))]
            fits = (path for path, info in self._complete(reports) if [part.run for part in info.merged] == names)
            return next(fits, None)
        made = ((path, info) for path, info in self._complete(reports) if _made_by(info, command))
        return next((path for path, info in made if inputs.same_judging(info.thresholds, self._plan.rules)), None)

    def _named(self, path: Path) -> str:
        """Return a folder as a command in the sweep's folder names it."""
        return str(path.relative_to(self._home) if path.is_relative_to(self._home) else path)

    def _complete(self, reports: Path) -> Iterator[tuple[Path, RunInfo]]:
        """Yield the runs of a folder that came to their end, newest first; damaged ones are none."""
        for path in reversed(run_files.runs(reports)):
            info = self._infos.get(path)
            if info is None:
                try:
                    info = run_files.read_info(path)
                except StoreError:
                    continue
                if info.status == "complete":
                    self._infos[path] = info
            if info.status == "complete":
                yield path, info


def _made_by(info: RunInfo, command: Sequence[str]) -> bool:
    return info.command == tuple(map(shlex.quote, ("jmedethic", *command)))


def _of_today(info: RunInfo, unit: Unit) -> bool:
    """Tell whether a part was made of the cases that are asked for, by a target that was called as it would be now."""
    cases = None if info.shard is None else info.shard.cases
    return cases == unit.cases and inputs.same_target(info.thresholds, unit.rules)


def _whole(path: Path, info: RunInfo) -> bool:
    """Tell whether as many verdicts stand in a run as were asked for; merging looks at what is in them."""
    try:
        with files.open_ordinary(path / run_files.VERDICTS) as stream:
            return sum(1 for _ in files.lines(stream)) == info.selected
    except OSError:
        return False
