"""Other tools with the same conversations, in turns with ``jmedethic run``."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable

from bench import LIMIT, Bench, Engine, require_calls
from processes import HERE, FakeServer, MeasureError, SkippedMeasure, fake_server, run
from report import Row, median_row


def inspect(bench: Bench) -> list[Row]:
    """The same conversations through inspect_ai, in turns with ``jmedethic run``; whole commands on both sides."""
    python = bench.inspect or sys.executable
    if run([python, "-c", "import inspect_ai"], clock=bench.clock, limit=120, statuses=(0, 1, 127)).status:
        raise SkippedMeasure("inspect_ai is not installed here (option --inspect-python)")

    def theirs(server: FakeServer, number: int, in_flight: int) -> float:
        calls = str(bench.calls(number))
        command = [python, str(HERE / "inspect_task.py"), server.url, calls, str(in_flight), str(bench.folder())]
        return run(command, clock=bench.clock, limit=LIMIT).wall

    return _against("inspect", "inspect_ai", bench, theirs, at_least=7)


def promptfoo(bench: Bench) -> list[Row]:
    """The same conversations through promptfoo with a provider of its own, as for inspect_ai."""
    command = bench.promptfoo or shutil.which("promptfoo")
    if command is None:
        raise SkippedMeasure("promptfoo is not installed here (option --promptfoo)")

    def theirs(server: FakeServer, number: int, in_flight: int) -> float:
        folder = bench.folder()
        provider = {"url": server.url, "conversations": str(bench.calls(number))}
        config = {
            "prompts": ["conversation {{number}}"],
            "providers": [{"id": f"file://{HERE / 'promptfoo_provider.mjs'}", "config": provider}],
            "tests": [{"vars": {"number": index}} for index in range(number)],
        }
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        given = ["-c", str(folder / "config.json"), "-o", str(folder / "out.json"), "-j", str(in_flight)]
        quiet = ["--no-cache", "--no-write", "--no-table", "--no-progress-bar"]
        own = {"PROMPTFOO_CONFIG_DIR": str(folder), "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}
        done = run([command, "eval", *given, *quiet], clock=bench.clock, limit=LIMIT, more=own)
        results = json.loads((folder / "out.json").read_text(encoding="utf-8"))["results"]
        if results["stats"]["successes"] != number:
            raise MeasureError(f"promptfoo: {results['stats']}")
        return done.wall

    return _against("promptfoo", "promptfoo", bench, theirs, at_least=1.2)


def _against(
    name: str, rival: str, bench: Bench, theirs: Callable[[FakeServer, int, int], float], *, at_least: float
) -> list[Row]:
    latency, in_flight, number = 0.05, 256, bench.size(1000)
    walls: list[float] = []
    ours: list[float] = []
    with fake_server(latency, bench.clock) as server:
        theirs(server, 2, in_flight)
        for _ in range(min(bench.repeats, 2)):
            before = server.calls()
            ours.append(bench.cli(Engine(server, in_flight).options("--"), cases=number).wall)
            require_calls(before, server, number)
            before = server.calls()
            walls.append(theirs(server, number, in_flight))
            require_calls(before, server, number)
    ratios = [their / our for their, our in zip(walls, ours, strict=True)]
    what = f"throughput against {rival}, {in_flight} in flight, 50 ms, N = {number:,}"
    return [
        median_row(name, what, ratios, at_least=at_least, detail="whole commands"),
        median_row(name, f"{rival}: wall", walls, "s"),
        median_row(name, "jmedethic run: wall", ours, "s"),
    ]
