"""The measures. Each one is a function from a bench to rows; ratios come from two sides measured in turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from bench import DEMO, LIMIT, Bench, Engine, require, require_calls
from processes import HERE, FakeServer, MeasureError, fake_server, run
from report import Row
from workload import CALLS, CRITICAL_PATH

_WORKERS = 32
_SMOKE = 67
"""Conversations of the bundled smoke suite."""


class SkippedMeasure(Exception):  # noqa: N818 - says what happens
    """A measure is left out, and why."""


def _median(name: str, what: str, samples: Sequence[float], unit: str = "", **more: Any) -> Row:
    return Row(name, what, median(samples), unit, samples=tuple(samples), **more)


# ---------------------------------------------------------------------------------------------- the measures


def warm_up(bench: Bench) -> None:
    """Run everything once with two conversations: nothing that is measured has to be compiled or read from disk."""
    with fake_server(0.0, bench.clock) as server:
        bench.pytest(Engine(server, 2).options("--jmed-"), f"--alluredir={bench.folder()}", "-n", "1", cases=2)
        bench.cli(Engine(server, 2).options("--"), cases=2)
        bench.loop("sdk", server, cases=2, in_flight=2)
        bench.loop("raw", server, cases=2, in_flight=2)


def capacity(bench: Bench) -> list[Row]:
    """What the fake server can do, asked by aiohttp alone; every other measure must ask far less of it."""
    number, in_flight = 1000, 512
    speeds, costs = [], []
    with fake_server(0.05, bench.clock) as server:
        for _ in range(bench.repeats):
            before = server.counts()
            figures = bench.loop("raw", server, cases=number, in_flight=in_flight)
            after = server.counts()
            require_calls(int(before["target"] + before["judge"]), server, number)
            speeds.append(number * CALLS / figures["wall"])
            costs.append(1000 * (after["cpu"] - before["cpu"]) / (number * CALLS))
    bench.capacity = max(speeds)
    detail = f"raw aiohttp client, {in_flight} in flight, 50 ms"
    return [
        _median("capacity", "fake server: calls/s answered", speeds, "calls/s", detail=detail),
        _median("capacity", "fake server: CPU for one call", costs, "ms"),
    ]


def wall(bench: Bench) -> list[Row]:
    """(wall - start-up) / ideal at 200 ms and 32 in flight, through pytest."""
    latency, in_flight, number = 0.2, 32, bench.size(500)
    ideal = number / in_flight * CRITICAL_PATH * latency
    ratios, startups = [], []
    with fake_server(latency, bench.clock) as server:
        for _ in range(bench.repeats):
            startups.append(bench.startup(bench.pytest(Engine(server, in_flight).options("--jmed-"), cases=1), latency))
            before, reports = server.calls(), bench.folder()
            done = bench.pytest(Engine(server, in_flight).options("--jmed-"), cases=number, reports=reports)
            require(reports, number)
            require_calls(before, server, number)
            bench.note_load(number * CALLS / (done.wall - startups[-1]))
            ratios.append((done.wall - startups[-1]) / ideal)
    what = f"(wall - start-up) / ideal, pytest, 200 ms, {in_flight} in flight, N = {number:,}"
    return [
        _median("wall", what, ratios, at_most=1.08, detail=f"ideal {ideal:.1f} s"),
        _median("wall", "start-up of pytest with --model", startups, "s"),
    ]


def cpu(bench: Bench) -> list[Row]:
    """CPU per conversation of a whole pytest run, against the bare loop on the same SDK path."""
    in_flight, number = 32, bench.size(1000)
    whole, net, bare, ours = [], [], [], []
    with fake_server(0.05, bench.clock) as server:
        engine = Engine(server, in_flight).options("--jmed-")
        for _ in range(bench.repeats):
            at_first = server.counts()
            bare.append(1000 * bench.loop("sdk", server, cases=number, in_flight=in_flight)["cpu"] / number)
            between, reports = server.counts(), bench.folder()
            done = bench.pytest(engine, cases=number, reports=reports)
            require(reports, number)
            require_calls(int(between["target"] + between["judge"]), server, number)
            _require_same_bytes(at_first, between, server.counts())
            startup = bench.pytest(engine, cases=1).cpu
            ours.append(1000 * done.cpu / number)
            whole.append(ours[-1] / bare[-1])
            net.append(1000 * (done.cpu - startup) / (number - 1) / bare[-1])
            bench.note_load(number * CALLS / done.wall)
    what = f"CPU per conversation, whole pytest run / bare SDK loop, 50 ms, N = {number:,}"
    return [
        _median("cpu", what, whole, at_most=1.35, detail="start-up included on the side of pytest"),
        _median("cpu", "the same without pytest's start-up", net),
        _median("cpu", "CPU per conversation, whole pytest run", ours, "ms"),
        _median("cpu", "CPU per conversation, bare SDK loop", bare, "ms", detail=f"{CALLS} calls"),
    ]


def _require_same_bytes(first: dict[str, float], second: dict[str, float], third: dict[str, float]) -> None:
    loop, ours = second["bytes"] - first["bytes"], third["bytes"] - second["bytes"]
    if abs(loop / ours - 1) > 0.01:
        raise MeasureError(f"the bare loop sent {loop:.0f} bytes, the run {ours:.0f}: they do not do the same work")


def throughput(bench: Bench) -> list[Row]:
    """Calls/s of ``jmedethic run`` with 256 in flight, next to the bare SDK loop."""
    latency, in_flight, number = 0.05, 256, bench.size(1000)
    ours, bare, ratios, walls = [], [], [], []
    with fake_server(latency, bench.clock) as server:
        engine = Engine(server, in_flight).options("--")
        for _ in range(bench.repeats):
            bare.append(number * CALLS / bench.loop("sdk", server, cases=number, in_flight=in_flight)["wall"])
            startup = bench.startup(bench.cli(engine, cases=1), latency)
            before, reports = server.calls(), bench.folder()
            done = bench.cli(engine, cases=number, reports=reports)
            require(reports, number)
            require_calls(before, server, number)
            walls.append(done.wall)
            ours.append(number * CALLS / (done.wall - startup))
            ratios.append(ours[-1] / bare[-1])
            bench.note_load(max(ours[-1], bare[-1]))
    what = f"jmedethic run, {in_flight} in flight, 50 ms, N = {number:,}: calls/s without start-up"
    return [
        _median("throughput", what, ours, "calls/s"),
        _median("throughput", "the same calls by the bare SDK loop", bare, "calls/s"),
        _median("throughput", "jmedethic run / bare SDK loop", ratios),
        _median("throughput", "whole command, start-up included", walls, "s"),
    ]


def inspect(bench: Bench) -> list[Row]:
    """The same conversations through inspect_ai, in turns with ``jmedethic run``; whole commands on both sides."""
    python = bench.inspect or sys.executable
    if run([python, "-c", "import inspect_ai"], clock=bench.clock, limit=120, statuses=(0, 1, 127)).status:
        raise SkippedMeasure("inspect_ai is not installed here (option --inspect-python)")
    latency, in_flight, number = 0.05, 256, bench.size(1000)
    theirs, ours = [], []
    with fake_server(latency, bench.clock) as server:
        _inspect(bench, python, server, 2, in_flight)
        for _ in range(min(bench.repeats, 2)):
            before = server.calls()
            ours.append(bench.cli(Engine(server, in_flight).options("--"), cases=number).wall)
            require_calls(before, server, number)
            before = server.calls()
            theirs.append(_inspect(bench, python, server, number, in_flight))
            require_calls(before, server, number)
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    what = f"throughput against inspect_ai, {in_flight} in flight, 50 ms, N = {number:,}"
    return [
        _median("inspect", what, ratios, at_least=7, detail="whole commands"),
        _median("inspect", "inspect_ai: wall", theirs, "s"),
        _median("inspect", "jmedethic run: wall", ours, "s"),
    ]


def _inspect(bench: Bench, python: str, server: FakeServer, number: int, in_flight: int) -> float:
    """Return the wall seconds of inspect_ai for so many conversations."""
    calls = bench.work / f"conversations-{number}.jsonl"
    if not calls.exists():
        dump = [sys.executable, str(HERE / "workload.py"), str(bench.cases(number)), str(calls)]
        run(dump, clock=bench.clock, limit=LIMIT)
    command = [python, str(HERE / "inspect_task.py"), server.url, str(calls), str(in_flight), str(bench.folder())]
    return run(command, clock=bench.clock, limit=LIMIT).wall


def collect(bench: Bench) -> list[Row]:
    """Collection alone, in one process."""
    rows = []
    for number, seconds, mib in ((bench.size(2345), None, None), (bench.size(54180), 5, 250)):
        runs = [bench.pytest(DEMO, "--collect-only", cases=number) for _ in range(bench.repeats)]
        for done in runs:
            if done.output.count("::test_conversation[") != number:
                raise MeasureError(f"{number} cases were not collected:\n{done.output[-500:]}")
        name = f"collect {number:,} cases"
        walls, cpus, peaks = zip(*((done.wall, done.cpu, done.peak_mib) for done in runs), strict=True)
        rows += [
            _median("collect", f"{name}: wall, start-up included", walls, "s", at_most=seconds),
            _median("collect", f"{name}: CPU", cpus, "s"),
            _median("collect", f"{name}: peak memory", peaks, "MiB", at_most=mib),
        ]
    return rows


def overhead(bench: Bench) -> list[Row]:
    """CPU per case of everything but calls: pytest with a demo model, with and without Allure."""
    number = bench.size(2345)
    plain, allure, cli = [], [], []
    for _ in range(bench.repeats):
        startup = bench.pytest(DEMO, cases=1).cpu
        plain.append(1000 * (bench.pytest(DEMO, cases=number).cpu - startup) / (number - 1))
        folder = bench.folder()
        with_allure = bench.pytest(DEMO, f"--alluredir={folder / 'allure'}", cases=number, reports=folder)
        allure.append(1000 * (with_allure.cpu - startup) / (number - 1))
        one = bench.cli(DEMO, cases=1).cpu
        cli.append(1000 * (bench.cli(DEMO, cases=number).cpu - one) / (number - 1))
    added = [with_pytest - without for with_pytest, without in zip(plain, cli, strict=True)]
    return [
        _median("overhead", f"CPU per case, pytest, demo target, no Allure, N = {number:,}", plain, "ms", at_most=3),
        _median("overhead", "CPU per case, the same with Allure", allure, "ms", at_most=8),
        _median("overhead", "CPU per case, jmedethic run, demo target", cli, "ms"),
        _median("overhead", "CPU per case that pytest and plugin add to it", added, "ms"),
    ]


def workers(bench: Bench) -> list[Row]:
    """32 workers on the bundled smoke suite: how long until they are through, and what all processes hold together."""
    walls, peaks, processes = [], [], 0
    for _ in range(min(bench.repeats, 2)):
        reports = bench.folder()
        done = bench.pytest(DEMO, "-n", str(_WORKERS), "--jmed-suite=smoke", reports=reports, sample=True)
        require(reports, _SMOKE)
        walls.append(done.wall)
        peaks.append(done.together_mib)
        processes = max(processes, done.processes)
    what = f"-n {_WORKERS}, smoke suite, demo target"
    return [
        _median("workers", f"{what}: wall", walls, "s", at_most=45),
        _median("workers", f"{what}: memory of all processes (PSS)", peaks, "MiB", at_most=1.8 * 1024),
        Row("workers", f"{what}: processes at the peak", processes, "processes"),
    ]


def resume(bench: Bench) -> list[Row]:
    """The same command again after a finished run: no call, and how long it takes."""
    number = bench.size(2345)
    reports = bench.folder()
    with fake_server(0.0, bench.clock) as server:
        before = server.calls()
        bench.cli(Engine(server, 64).options("--"), cases=number, reports=reports)
        require(reports, number)
        require_calls(before, server, number)
        before = server.calls()
        runs = []
        for _ in range(bench.repeats):
            runs.append(bench.pytest(Engine(server, 32).options("--jmed-"), cases=number, reports=reports))
            require(reports, number)
        made = server.calls() - before
    what = f"resume of a finished run of {number:,}, pytest"
    return [
        _median("resume", f"{what}: wall", [done.wall for done in runs], "s", at_most=12),
        _median("resume", f"{what}: CPU", [done.cpu for done in runs], "s"),
        Row("resume", f"{what}: calls", made, "calls", at_most=0),
    ]


def memory(bench: Bench) -> list[Row]:
    """Peak memory of the process that holds the engine, with far more conversations than it could keep."""
    number = bench.size(54180 if bench.full else 10000)
    reports = bench.folder()
    done = bench.cli(DEMO, cases=number, reports=reports)
    require(reports, number)
    note = "" if bench.full else "--full measures 54,180"
    what = f"controller, {number:,} conversations, demo target"
    return [
        Row("memory", f"{what}: peak memory (VmHWM)", done.peak_mib, "MiB", at_most=400, detail=note),
        Row("memory", f"{what}: wall", done.wall, "s"),
    ]


MEASURES: dict[str, Callable[[Bench], list[Row]]] = {
    "capacity": capacity,
    "wall": wall,
    "cpu": cpu,
    "throughput": throughput,
    "inspect": inspect,
    "collect": collect,
    "overhead": overhead,
    "workers": workers,
    "resume": resume,
    "memory": memory,
}
ON_SERVER = {"wall", "cpu", "throughput"}
"""Measures whose figures stand or fall with the fake server."""
