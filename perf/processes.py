"""Starting what is measured, and reading what it cost: wall, CPU, peak memory, other people's share of the machine."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from workload import ROOT

HERE = Path(__file__).parent
_MIB = 1024.0
_TICK = os.sysconf("SC_CLK_TCK")


class MeasureError(Exception):
    """A measure cannot be taken: what was started failed, took too long, or did something else than it should."""


class SkippedMeasure(Exception):  # noqa: N818 - says what happens
    """A measure is left out, and why."""


class Finished(NamedTuple):
    """What a command cost, its child processes included."""

    status: int
    wall: float
    cpu: float
    peak_mib: float
    """Largest resident set of any single process (VmHWM)."""
    output: str
    together_mib: float = 0.0
    """Largest sum of the proportional set sizes (PSS) of all processes, if it was sampled."""
    processes: int = 0
    """Processes at that moment."""


class Clock:
    """The time that is left for everything together."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._end - time.monotonic()


def environment() -> dict[str, str]:
    """Return the environment of every command: no proxy in front of 127.0.0.1, no options of the user's own."""
    dropped = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONPATH")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def run(
    command: Sequence[str],
    *,
    clock: Clock,
    limit: float,
    statuses: Sequence[int] = (0,),
    sample: bool = False,
    more: Mapping[str, str] | None = None,
) -> Finished:
    """Run a command to its end and return what it cost.

    Args:
        command: what to run, in the root of the checkout.
        clock: the time left for everything.
        limit: seconds the command may take at most.
        statuses: exit statuses that are no failure.
        sample: add up the memory of all its processes meanwhile.
        more: environment variables of its own.

    Raises:
        MeasureError: if it takes longer than ``limit`` seconds, or than is left, or ends with another status.
    """
    allowed = max(min(limit, clock.left()), 0.1)
    begun = time.perf_counter()
    with (
        _started(command, more or {}) as (process, out),
        MemorySampler(process.pid) if sample else nullcontext() as sampler,
    ):
        timer = threading.Timer(allowed, _kill, (process.pid,))
        timer.start()
        try:
            _, code, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(code)
        out.seek(0)
        output = out.read()
    if process.returncode not in statuses:
        why = f"stopped after {wall:.0f} s" if wall >= allowed else f"exit status {process.returncode}"
        raise MeasureError(f"{' '.join(command)}\n{why}\n{output[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    together = (sampler.peak_mib, sampler.processes) if sampler is not None else ()
    return Finished(process.returncode, wall, cpu, usage.ru_maxrss / _MIB, output, *together)


@contextmanager
def _started(command: Sequence[str], more: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Start a command in a process group of its own; none of the group outlives the block."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment(), **more},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process, out
        finally:
            _kill(process.pid)
            process.wait()


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


class FakeServer:
    """The fake server in a process of its own."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def counts(self) -> dict[str, float]:
        """Return calls by role, bytes received and CPU seconds used so far."""
        with self._opener.open(f"{self.url}/counts", timeout=30) as answer:
            counts: dict[str, float] = json.load(answer)
        return counts

    def calls(self) -> int:
        """Return the number of calls answered so far."""
        counts = self.counts()
        return int(counts["target"] + counts["judge"])


@contextmanager
def fake_server(latency: float, clock: Clock) -> Iterator[FakeServer]:
    """Start the fake server; it ends with the block, and by itself if this process is killed."""
    command = [
        sys.executable,
        str(HERE / "server.py"),
        f"--latency={latency}",
        f"--lifetime={max(clock.left(), 1):.0f}",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise MeasureError("the fake server did not start")
        yield FakeServer(json.loads(line)["port"])
        process.stdin.close()
        process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()


class MemorySampler:
    """Adds up the proportional set size of a process and all its descendants, now and then.

    Args:
        pid: the root of the tree.
        every: seconds between two samples; a sample of 33 processes costs some 30 ms of CPU.
    """

    def __init__(self, pid: int, every: float = 0.5) -> None:
        self.peak_mib = 0.0
        self.processes = 0
        """Processes at the time of the peak."""
        self._pid, self._every = pid, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> MemorySampler:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._stopped.wait(self._every):
            sizes = [_pss_mib(pid) for pid in _tree(self._pid)]
            if sum(sizes) > self.peak_mib:
                self.peak_mib, self.processes = sum(sizes), len(sizes)


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def _pss_mib(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / _MIB


class Neighbours:
    """How much of the machine was used by others between two moments: what makes a figure provisional."""

    def __init__(self) -> None:
        self._before = (time.monotonic(), *_busy())

    def share(self) -> float:
        """Return the part of all CPU time since the start that neither we nor idleness used, 0 to 1."""
        before, now = self._before, (time.monotonic(), *_busy())
        seconds, busy, ours = (late - early for late, early in zip(now, before, strict=True))
        return min(1.0, max(0.0, (busy - ours) / (seconds * (os.cpu_count() or 1))))


def _busy() -> tuple[float, float]:
    """Return the CPU seconds used by everyone, and by this process and its ended children."""
    user, nice, system, _idle, _wait, irq, softirq, steal, *_ = (
        int(field) / _TICK for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return user + nice + system + irq + softirq + steal, sum(item.ru_utime + item.ru_stime for item in used)
