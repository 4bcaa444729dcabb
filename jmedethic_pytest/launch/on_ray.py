"""Collections as tasks of a Ray cluster. A task that is lost with its node is begun again by Ray on another one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.sweep_file import Sweep
from jmedethic_pytest.launch.work import Work

_LONGEST = 200


class OnRay:
    """Hands collections to a cluster, and asks it for them.

    Args:
        sweep: the file.
        work: what is to be done.

    Raises:
        ConfigError: if Ray is not installed, or there is no cluster.
    """

    def __init__(self, sweep: Sweep, work: Work) -> None:
        try:
            import ray
        except ImportError:
            raise ConfigError("--on=ray: Ray is not installed. Next: pip install 'jmedethic-pytest[ray]'") from None
        self._rules = sweep.ray
        self._gpus = {target.name: target.gpus for target in sweep.models}
        self._work = work
        self._tasks: dict[Any, Step] = {}
        self._words: dict[Step, str] = {}
        self._ray = ray
        try:
            ray.init(address=self._rules.address, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"--on=ray: no cluster at {self._rules.address!r}: {one_line(str(error), _LONGEST)} Start one "
                "(ray start --head), or give its [ray] address."
            ) from None

    def start(self, steps: Sequence[Step]) -> None:
        """Make a task of every step; the cluster begins it where there is room."""
        for step in steps:
            options = {
                "name": str(step),
                "num_cpus": self._rules.num_cpus,
                "num_gpus": self._gpus[self._work.plan.unit(step.unit).model],
                "resources": self._rules.resources,
                "max_retries": self._rules.retries,
            }
            task = self._ray.remote(take).options(**options)
            self._tasks[task.remote(str(self._work.file), str(step))] = step

    def running(self) -> set[Step]:
        """Return those whose task has not ended."""
        ended, _ = (
            self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0) if self._tasks else ([], [])
        )
        for task in ended:
            step = self._tasks.pop(task)
            try:
                self._ray.get(task)
            except self._ray.exceptions.RayError as error:
                self._words[step] = one_line(f"{type(error).__name__}: {error}", _LONGEST)
        return set(self._tasks.values())

    def word(self, step: Step, /) -> str:
        """Return what became of a task that did not come to its end."""
        return self._words.get(step, "")

    def close(self) -> None:
        """Leave the cluster, which ends the tasks that are left."""
        self._ray.shutdown()


def take(file: str, step: str) -> int:
    """Take a step on a node, in a process that outlives no worker's faults; return its exit status."""
    command = [sys.executable, "-m", "jmedethic_pytest", "sweep", "step", file, step]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
