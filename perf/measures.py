"""The measures. Each one is a function from a bench to rows; ratios come from two sides measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import rivals
from bench import DEMO, Bench, Engine, require, require_calls
from processes import MeasureError, fake_server
from report import Row, median_row
from workload import CALLS, CRITICAL_PATH

_WORKERS = 32
_FULL = 2345
"""Conversations of the official benchmark in one language."""
_SMOKE = 67
"""Conversations of the bundled smoke suite."""


def warm_up(bench: Bench) -> None:
    """Run everything once with two conversations: nothing that is measured has to be compiled or read from disk."""
    with fake_server(0.0, bench.clock) as server:
        bench.pytest(Engine(server, 2).options("--jmed-"), f"--alluredir={bench.folder()}", "-n", "1", cases=2)
        bench.cli(Engine(server, 2).options("--"), cases=2)
        bench.loop("sdk", server, cases=2, in_flight=2)
        bench.loop("raw", server, cases=2, in_flight=2)


def capacity(bench: Bench) -> list[Row]:
    """What the fake server can do, asked by aiohttp alone; every other measure must ask far less of it.

    Client and server have a core each, and the client needs twice the CPU: the calls answered are a lower bound.
    """
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
    # The raw client is at its own limit before the server is: what the server can do follows from its CPU for a call.
    bench.capacity = max(*speeds, 1000 / median(costs))
    detail = f"raw aiohttp client, {in_flight} in flight, 50 ms"
    return [
        median_row("capacity", "fake server: calls/s answered", speeds, "calls/s", detail=detail),
        median_row("capacity", "fake server: CPU for one call", costs, "ms"),
    ]


def wall(bench: Bench) -> list[Row]:
    """(wall - start-up) / ideal at 200 ms and 32 in flight, through pytest.

    Start-up is all that a run pays once: imports, the first call that waits alone for an answer, the slow start, the
    opening of connections. So it is measured by a run with one conversation for every slot.
    """
    latency, in_flight, number = 0.2, 32, bench.size(500)
    ideal = number / in_flight * CRITICAL_PATH * latency
    ratios, singles, startups, first = [], [], [], []
    with fake_server(latency, bench.clock) as server:
        engine = Engine(server, in_flight).options("--jmed-")
        for _ in range(bench.repeats):
            begun = time.monotonic()
            single = bench.startup(bench.pytest(engine, cases=1), latency)
            first.append(server.counts()["begun"] - begun)
            startups.append(bench.startup(bench.pytest(engine, cases=in_flight), latency))
            before, reports = server.calls(), bench.folder()
            done = bench.pytest(engine, cases=number, reports=reports)
            require(reports, number)
            require_calls(before, server, number)
            bench.note_load(number * CALLS / (done.wall - startups[-1]))
            ratios.append((done.wall - startups[-1]) / ideal)
            singles.append((done.wall - single) / ideal)
    what = f"(wall - start-up) / ideal, pytest, 200 ms, {in_flight} in flight, N = {number:,}"
    return [
        median_row("wall", what, ratios, at_most=1.08, detail=f"ideal {ideal:.1f} s"),
        median_row("wall", "the same, start-up taken from a run of one conversation", singles),
        median_row("wall", f"start-up of pytest with --model, up to {in_flight} in flight", startups, "s"),
        median_row("wall", "the first call after the command", first, "s", at_most=1.2),
    ]


def cpu(bench: Bench) -> list[Row]:
    """CPU per conversation of a whole pytest run, the size of the benchmark, against the bare loop on the SDK."""
    in_flight, number = 32, bench.size(_FULL)
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
        median_row("cpu", what, whole, at_most=1.35, detail="start-up included on the side of pytest"),
        median_row("cpu", "the same without pytest's start-up", net),
        median_row("cpu", "CPU per conversation, whole pytest run", ours, "ms"),
        median_row("cpu", "CPU per conversation, bare SDK loop", bare, "ms", detail=f"{CALLS} calls"),
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
        median_row("throughput", what, ours, "calls/s"),
        median_row("throughput", "the same calls by the bare SDK loop", bare, "calls/s"),
        median_row("throughput", "jmedethic run / bare SDK loop", ratios),
        median_row("throughput", "whole command, start-up included", walls, "s"),
    ]


def collect(bench: Bench) -> list[Row]:
    """Collection alone, in one process; start-up is that of a collection of one case."""
    rows = []
    for number, seconds, mib in ((bench.size(_FULL), None, None), (bench.size(54180), 5, 250)):
        startups = [bench.pytest(DEMO, "--collect-only", "-q", cases=1).wall for _ in range(bench.repeats)]
        runs = [bench.pytest(DEMO, "--collect-only", "-q", cases=number) for _ in range(bench.repeats)]
        for done in runs:
            if f"test_conversations.py: {number}\n" not in done.output:
                raise MeasureError(f"{number} cases were not collected:\n{done.output[-500:]}")
        name = f"collect {number:,} cases"
        walls, cpus, peaks = zip(*((done.wall, done.cpu, done.peak_mib) for done in runs), strict=True)
        net = [wall - startup for wall, startup in zip(walls, startups, strict=True)]
        rows += [
            median_row("collect", f"{name}: wall without start-up", net, "s", at_most=seconds),
            median_row("collect", f"{name}: wall, start-up included", walls, "s"),
            median_row("collect", f"{name}: CPU", cpus, "s"),
            median_row("collect", f"{name}: peak memory", peaks, "MiB", at_most=mib),
        ]
    return rows


def overhead(bench: Bench) -> list[Row]:
    """CPU per case that pytest and the plugin add to the same engine without pytest; demo target, so no call counts."""
    number = bench.size(_FULL)
    whole, allure, added, added_allure = [], [], [], []
    for _ in range(bench.repeats):
        startup = bench.pytest(DEMO, cases=1).cpu
        whole.append(1000 * (bench.pytest(DEMO, cases=number).cpu - startup) / (number - 1))
        folder = bench.folder()
        with_allure = bench.pytest(DEMO, f"--alluredir={folder / 'allure'}", cases=number, reports=folder)
        allure.append(1000 * (with_allure.cpu - startup) / (number - 1))
        one = bench.cli(DEMO, cases=1).cpu
        engine = 1000 * (bench.cli(DEMO, cases=number).cpu - one) / (number - 1)
        added.append(whole[-1] - engine)
        added_allure.append(allure[-1] - engine)
    what = "overhead of pytest and plugin over jmedethic run, CPU per case, demo target"
    return [
        median_row("overhead", f"{what}, N = {number:,}", added, "ms", at_most=3),
        median_row("overhead", "the same with Allure", added_allure, "ms", at_most=8),
        median_row("overhead", "CPU per case in all, engine and demo models included", whole, "ms"),
        median_row("overhead", "the same with Allure", allure, "ms"),
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
        median_row("workers", f"{what}: wall", walls, "s", at_most=45),
        median_row("workers", f"{what}: memory of all processes (PSS)", peaks, "MiB", at_most=1.8 * 1024),
        Row("workers", f"{what}: processes at the peak", processes, "processes"),
    ]


_PROBES = 5
"""Calls that look whether a stated revision's weights are those whose replies are kept."""


def resume(bench: Bench) -> list[Row]:
    """The same command again after a finished run: no call, and how long it takes."""
    number = bench.size(_FULL)
    reports = bench.folder()
    weights = "revision=perf"  # replies are taken from the cache only where the weights are known to be the same
    with fake_server(0.0, bench.clock) as server:
        bench.cli([*Engine(server, 64).options("--"), f"--{weights}"], cases=number, reports=reports)
        require(reports, number)
        before = server.calls()
        runs = []
        for _ in range(bench.repeats):
            again = [*Engine(server, 32).options("--jmed-"), f"--jmed-{weights}"]
            runs.append(bench.pytest(again, cases=number, reports=reports))
            require(reports, number)
        made = server.calls() - before
    what = f"resume of a finished run of {number:,}, pytest"
    return [
        median_row("resume", f"{what}: wall", [done.wall for done in runs], "s", at_most=4),
        median_row("resume", f"{what}: CPU", [done.cpu for done in runs], "s"),
        Row(
            "resume",
            f"{what}: calls beside the probes of the weights",
            made - _PROBES * bench.repeats,
            "calls",
            at_most=0,
        ),
    ]


def report(bench: Bench) -> list[Row]:
    """What page, tables and plots add to a run of 2,345 cases; every other measure goes without them."""
    number = bench.size(_FULL)
    walls, cpus = [], []
    for _ in range(bench.repeats):
        plain, full = (bench.pytest(DEMO, cases=number, report=kind) for kind in ("off", "full"))
        walls.append(full.wall - plain.wall)
        cpus.append(full.cpu - plain.cpu)
    what = f"report.html, tables and plots of {number:,} cases"
    return [median_row("report", f"{what}: wall", walls, "s"), median_row("report", f"{what}: CPU", cpus, "s")]


def memory(bench: Bench) -> list[Row]:
    """Peak memory of the process that holds the engine, with far more conversations than it could keep."""
    number = bench.size(54180)
    reports = bench.folder()
    done = bench.cli(DEMO, cases=number, reports=reports)
    require(reports, number)
    what = f"controller, {number:,} conversations, demo target"
    return [
        Row("memory", f"{what}: peak memory (VmHWM)", done.peak_mib, "MiB", at_most=400),
        Row("memory", f"{what}: wall", done.wall, "s"),
    ]


MEASURES: dict[str, Callable[[Bench], list[Row]]] = {
    "capacity": capacity,
    "wall": wall,
    "cpu": cpu,
    "throughput": throughput,
    "inspect": rivals.inspect,
    "promptfoo": rivals.promptfoo,
    "collect": collect,
    "overhead": overhead,
    "workers": workers,
    "resume": resume,
    "report": report,
    "memory": memory,
}
ON_SERVER = {"wall", "cpu", "throughput"}
"""Measures whose figures stand or fall with the fake server."""
