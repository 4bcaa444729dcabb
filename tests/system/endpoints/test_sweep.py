"""Several models, collected, merged and judged by one command that may be killed anywhere: nothing is paid twice."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from typing import Any

from jmedethic_pytest.run.evidence import PROBES
from support import warmed
from support.forked import PATIENCE, PYTHON
from support.project import LENIENT_RULES

SWEEP = """
schema_version = 1
suites = ["all"]
locales = ["en"]
shards = 2
args = ["--cases=cases.jsonl", "--concurrency=1"]
judge_args = ["--judges={judges}", "--report=off", "--concurrency=1"]

[[models]]
name = "a"
model = "compatible:a"
base_url = "{url}"

[[models]]
name = "b"
model = "compatible:b"
base_url = "{url}"

[[models]]
name = "gone"
model = "compatible:gone"
base_url = "{url}"
"""
ALL = {"a": 12, "b": 12, "j1": 24, "j2": 24}
"""Questions to each: six conversations of two turns, and every reply to each judge."""


def asked(server: Any) -> Counter[str]:
    """Count what was asked, but for probes and the model that is not there."""
    return Counter(seen.model for seen in server.seen if seen.last not in PROBES and seen.model != "gone")


def test_a_sweep_that_is_killed_goes_on_and_pays_nothing_twice(server: Any, project: Any, hold: Any) -> None:
    held: dict[int, Any] = {}

    def script(seen: Any) -> Any:
        if seen.model == "gone":
            return server.error(404, "no such model")
        text = server.score(9) if seen.model.startswith("j") else f"safe {seen.model} {seen.last}"
        number = sum(asked(server).values())
        return server.openai(text, hold=next((item for first, item in held.items() if number >= first), None))

    server.script = script
    made = project(6)
    made.env[PYTHON] = str(warmed.lay(made.path / "tools") / "python")
    made.write("sweep.toml", SWEEP.format(url=server.openai_url, judges=f"{server.spec('j1')},{server.spec('j2')}"))
    command = ("sweep", "sweep.toml", "--jobs=1")

    # The command alone is killed during its first collection, which goes on: the next command waits for its result.
    held[3] = hold()
    first = made.watch(*command, program="jmedethic")
    server.wait_for(lambda: sum(asked(server).values()) == 3)
    first.kill()
    first.communicate()
    second = made.watch(*command, program="jmedethic")
    held.pop(3).release()
    # All of it is killed while models are judged: what is in flight then, at most three calls, was paid in vain.
    held[30] = hold()
    server.wait_for(lambda: sum(asked(server).values()) >= 30)
    os.killpg(second.pid, signal.SIGKILL)
    second.communicate()
    held.clear()
    third = made.watch(*command, program="jmedethic")
    output, _ = third.communicate(timeout=PATIENCE)
    assert third.returncode == 6, output
    paid = asked(server)
    assert all(ALL[model] <= paid[model] for model in ALL)
    assert sum(paid.values()) <= sum(ALL.values()) + 3

    # One model is not there: it is told, and the others are compared without it.
    assert "NOT IN IT: gone: no judged run" in output
    assert "gone.all.en/1: the model under test cannot be used" in output
    calls = len(server.seen)
    told = made.jmedethic("sweep", "sweep.toml", "--no-collect", "--json")
    assert told.status == 6, told.output
    assert len(server.seen) == calls
    record = json.loads(told.output[told.output.index("{") :])
    assert [run["answer"] for run in record["runs"]] == ["pass", "pass", None]
    assert {word for run in record["runs"][:2] for word in run["steps"].values()} == {"done"}
    assert record["runs"][2]["steps"]["gone.all.en/1"] == "failed"
    assert [table["missing"] for table in record["tables"]] == [["gone"]]
    # Under other floors these answers would be no answers.
    made.write("thresholds.toml", LENIENT_RULES.replace("pass_rate = 1.0", "pass_rate = 0.999"))
    other = made.jmedethic("sweep", "sweep.toml")
    assert (other.status, len(server.seen)) == (4, calls)
    assert "the plan was made of other thresholds" in other.output
