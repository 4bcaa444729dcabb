"""Collections as job arrays of Slurm: one array for each run, and an element's number is its shard's.

Jobs are known by their names, which follow from the sweep: whoever runs the command again finds those of a command
that was killed, even between submitting and remembering. What came of them stands in files; `sacct` is asked why one
has no result, and `squeue` where accounting is not configured.
"""

from __future__ import annotations

import getpass
import shlex
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.launch import attempt
from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.sweep_file import Sweep
from jmedethic_pytest.launch.work import Work

_PATIENCE = 20
"""Questions in a row that `squeue` may leave unanswered: controllers restart."""
_LONGEST = 200


class Slurm:
    """Submits collections, and asks the queue for them.

    Args:
        sweep: the file.
        work: what is to be done.

    Raises:
        ConfigError: if there is no Slurm on this machine, or its queue does not answer.
    """

    def __init__(self, sweep: Sweep, work: Work) -> None:
        missing = [name for name in ("sbatch", "squeue") if shutil.which(name) is None]
        if missing:
            raise ConfigError(f"--on=slurm: {missing[0]} is not on this machine. Run this where jobs are submitted.")
        self._rules = sweep.slurm
        self._gpus = {target.name: target.gpus for target in sweep.models}
        self._work = work
        self._mark = f"jmedethic-{files.sha256(f'{work.plan.digest} {work.folder}')[:8]}"
        self._jobs: dict[Step, str] = {}
        """The last job of each step, as ``12_3``."""
        self._refused: dict[str, str] = {}
        self._left: dict[Step, float] = {}
        self._silent = 0
        try:
            self._queued = self._asked()
        except subprocess.CalledProcessError as error:
            raise ConfigError(f"--on=slurm: squeue: {_said(error)}") from None
        self._asked_at = time.monotonic()

    def start(self, steps: Sequence[Step]) -> None:
        """Submit what is not in the queue yet, as one array for each run."""
        by_unit: dict[str, list[Step]] = defaultdict(list)
        for step in steps:
            if step not in self._queued:
                by_unit[step.unit].append(step)
        for unit, parts in by_unit.items():
            self._submit(unit, parts)

    def _submit(self, unit: str, parts: Sequence[Step]) -> None:
        for part in parts:
            attempt.forget(self._work.place(part))
        script = scripts(self._work) / f"{unit}.sh"
        files.replace(script, self._script(unit))
        output = self._work.place(parts[0]).parent / "slurm-%a.log"
        output.parent.mkdir(parents=True, exist_ok=True)
        numbers = ",".join(str(part.shard) for part in parts)
        command = ["sbatch", *self._rules.options]
        if gpus := self._gpus[self._work.plan.unit(unit).model]:
            command.append(f"--gpus={gpus}")
        command += [
            "--parsable",
            f"--job-name={self._mark}.{unit}",
            f"--array={numbers}" + (f"%{self._rules.at_once}" if self._rules.at_once else ""),
            f"--chdir={self._work.home}",
            f"--output={output}",
            "--open-mode=append",
            "--requeue",
            str(script),
        ]
        try:
            job = _run(command).strip().partition(";")[0]
        except subprocess.CalledProcessError as error:
            self._refused[unit] = f"sbatch: {_said(error)}"
            return
        for part in parts:
            self._queued[part] = self._jobs[part] = f"{job}_{part.shard}"

    def _script(self, unit: str) -> str:
        program = shlex.join(self._rules.program or (sys.executable, "-m", "jmedethic_pytest"))
        step = f'{shlex.quote(str(self._work.file))} "{unit}/$SLURM_ARRAY_TASK_ID"'
        return "\n".join(["#!/bin/bash", "set -e", *self._rules.setup, f"exec {program} sweep step {step}", ""])

    def running(self) -> set[Step]:
        """Return what is in the queue, and what has just left it without a result that may still be on its way."""
        if time.monotonic() - self._asked_at >= self._rules.poll_seconds:
            self._asked_at = time.monotonic()
            self._look()
        return {*self._queued, *self._left}

    def _look(self) -> None:
        try:
            now = self._asked()
        except subprocess.CalledProcessError as error:
            self._silent += 1
            if self._silent > _PATIENCE:
                raise StoreError(
                    f"squeue: {_said(error)}. What was submitted goes on. Next: run the same command again."
                ) from None
            return
        self._silent = 0
        for step in self._queued.keys() - now.keys():
            self._left[step] = time.monotonic()
        self._queued = now
        for step, since in list(self._left.items()):
            late = time.monotonic() - since >= self._rules.settle_seconds
            if late or self._work.done(step) or attempt.ending(self._work.place(step)) is not None:
                del self._left[step]

    def _asked(self) -> dict[Step, str]:
        """Return the steps in the queue, each with its job."""
        user = getpass.getuser()
        lines = _run(["squeue", "--noheader", "--array", f"--user={user}", "--format=%j|%F|%K"]).splitlines()
        units = {f"{self._mark}.{unit.name}": unit.name for unit in self._work.plan.units}
        found = {}
        for name, job, number in (line.strip().split("|") for line in lines if line.count("|") == 2):
            if name in units and number.isdecimal():
                found[Step(units[name], "collect", int(number))] = f"{job}_{number}"
        self._jobs.update(found)
        return found

    def word(self, step: Step, /) -> str:
        """Return what Slurm says of a step that has no result."""
        if step.does != "collect":
            return ""
        if step.unit in self._refused:
            return self._refused[step.unit]
        job = self._jobs.get(step)
        if job is None:
            return ""
        for question in (
            ["sacct", "--noheader", "--parsable2", "--allocations", "--format=State,NodeList", f"--jobs={job}"],
            ["squeue", "--noheader", "--states=all", "--format=%T|%N", f"--jobs={job}"],
        ):
            try:
                said = _run(question).strip().splitlines()
            except (OSError, subprocess.CalledProcessError):
                continue
            if said:
                return f"job {job}: {said[-1].replace('|', ' on ').strip()}"
        return f"job {job} left the queue"

    def close(self) -> None:
        """Leave the jobs alone: they go on, and the next command finds them."""


def scripts(work: Work) -> Path:
    """Return where the scripts of a sweep are: there are none before it was submitted."""
    return work.folder / "slurm"


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def _said(error: subprocess.CalledProcessError) -> str:
    return one_line(str(error.stderr or error.stdout or f"status {error.returncode}"), _LONGEST)
