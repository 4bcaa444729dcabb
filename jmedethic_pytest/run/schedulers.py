"""Which part of a run this process is to make: as the user says, or as a job scheduler has told its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.shards import MOST, Part


@dataclass(frozen=True)
class _Scheduler:
    """The variables by which a scheduler numbers the jobs of an array."""

    name: str
    index: str
    first: str | int
    """The lowest number, or the variable that holds it."""
    count: str = ""
    """The variable that holds how many there are; empty if none does."""
    last: str = ""
    """The variable that holds the highest number."""
    step: str = ""
    """The variable that holds the distance of two numbers."""


_SCHEDULERS = (
    _Scheduler(
        "Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MAX"
    ),
    _Scheduler("Kubernetes", "JOB_COMPLETION_INDEX", 0, "JOB_COMPLETIONS"),
    _Scheduler("GitLab", "CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
    _Scheduler("PBS", "PBS_ARRAY_INDEX", 1),
    _Scheduler("Grid Engine", "SGE_TASK_ID", "SGE_TASK_FIRST", last="SGE_TASK_LAST", step="SGE_TASK_STEPSIZE"),
)
_NUMBER = re.compile(r"[0-9]{1,9}")


def part(value: str, place: str, environment: Mapping[str, str] = os.environ) -> Part:
    """Read which part is meant.

    Args:
        value: ``K/N``, ``auto``, or ``auto/N`` where the scheduler does not say how many there are.
        place: how the option is spelled to this user.
        environment: where schedulers say which job of an array this is.

    Raises:
        ConfigError: saying what is not allowed, missing or ambiguous.
    """
    first, slash, second = (word.strip() for word in value.partition("/"))
    count = int(second) if _NUMBER.fullmatch(second) else None
    if first == "auto" and (not slash or count is not None):
        number, count = _asked(place, count, environment)
    elif _NUMBER.fullmatch(first) and count is not None:
        number = int(first)
    else:
        raise ConfigError(
            f"{place}: {value!r} is not allowed: give K/N, part K of N from 1 (2/4), auto, or auto/N where the "
            "scheduler does not say how many there are."
        )
    if not 1 <= count <= MOST:
        raise ConfigError(f"{place}: {count} shards are not allowed: give 1 to {MOST:,}.")
    if not 1 <= number <= count:
        raise ConfigError(f"{place}: shard {number} of {count} does not exist: they are counted from 1 to {count}.")
    return Part(number, count)


def _asked(place: str, given: int | None, environment: Mapping[str, str]) -> tuple[int, int]:
    """Return number and count as the scheduler around this process tells them."""
    present = [each for each in _SCHEDULERS if environment.get(each.index, "undefined") not in ("", "undefined")]
    if not present:
        known = ", ".join(each.index for each in _SCHEDULERS)
        raise ConfigError(f"{place}: auto: no job array is around this process (none of {known}). Give K/N.")
    if len(present) > 1:
        found = ", ".join(f"{each.index}={environment[each.index]}" for each in present)
        raise ConfigError(f"{place}: auto is ambiguous: {found}. Give K/N.")
    numbers = _Numbers(place, present[0], environment)
    first = numbers.first()
    told = numbers.count(first)
    if told is None and given is None:
        raise ConfigError(f"{place}: auto: {present[0].name} does not say how many jobs there are. Give auto/N.")
    if told is not None and given is not None and told != given:
        raise ConfigError(f"{place}: auto/{given}: {present[0].name} says that there are {told}. Give auto.")
    count = told if told is not None else given
    assert count is not None
    return numbers.read(present[0].index) - first + 1, count


class _Numbers:
    """What a scheduler's variables say."""

    def __init__(self, place: str, scheduler: _Scheduler, environment: Mapping[str, str]) -> None:
        self._place, self._scheduler, self._environment = place, scheduler, environment

    def read(self, name: str) -> int:
        """Return the number that a variable holds.

        Raises:
            ConfigError: if it is not set, or holds something else.
        """
        text = self._environment.get(name, "").strip()
        if not _NUMBER.fullmatch(text):
            said = f"is {text!r}, which is no number" if text else "is not set"
            raise ConfigError(f"{self._place}: auto: {self._scheduler.name}'s {name} {said}. Give K/N.")
        return int(text)

    def first(self) -> int:
        """Return the lowest number of a job."""
        lowest = self._scheduler.first
        return lowest if isinstance(lowest, int) else self.read(lowest)

    def count(self, first: int) -> int | None:
        """Return how many jobs there are, ``None`` if nothing says it; they must be numbered without gaps."""
        scheduler, environment = self._scheduler, self._environment
        told = self.read(scheduler.count) if environment.get(scheduler.count) else None
        if not environment.get(scheduler.last):
            return told
        spanned = self.read(scheduler.last) - first + 1
        if told not in (None, spanned) or environment.get(scheduler.step, "1") != "1":
            raise ConfigError(
                f"{self._place}: auto: the jobs from {first} to {spanned + first - 1} are numbered with gaps: nobody "
                "can tell which shard this is. Number them without gaps, or give K/N."
            )
        return spanned
