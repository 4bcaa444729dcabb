"""A shard that was broken off goes on where it was, and nothing is paid twice."""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.run.evidence import PROBES
from support.golden import GOLDEN


def test_a_shard_that_was_broken_off_goes_on(server: Any, project: Any) -> None:
    server.script = lambda seen: f"safe {seen.last}" if seen.model == "m" else server.score(9)
    made = project(6)

    def shard(number: int, *more: str) -> Any:
        folder = f"s{number}"
        return made.pytest(f"--jmed-shard={number}/2", f"--jmed-reports={folder}", *more, reports=folder)

    assert shard(1).status == 6
    broken = shard(2, f"--jmed-budget={2 * GOLDEN + 8}calls", "--jmed-concurrency=1")
    assert broken.status == 7, broken.output
    assert broken.read("run.json")["status"] == "incomplete"
    refused = made.jmedethic("merge", "s1", "s2")
    assert refused.status == 6
    assert "is incomplete" in refused.output
    assert f"Next: go on with it: {' '.join(broken.read('run.json')['command'])}" in refused.output
    paid = len(server.seen)
    assert shard(2).status == 6
    assert paid < len(server.seen)
    asked = [seen.messages for seen in server.seen if seen.model == "m" and seen.last not in PROBES]
    assert len(asked) == len({str(messages) for messages in asked}) == 12
    merged = made.jmedethic("merge", "s1", "s2", "--report=off", "--expect=cases.jsonl")
    assert merged.status in (0, 6), merged.output
    assert len(merged.verdicts) == 6
    assert merged.read("run.json")["replies_of"] == merged.run.name
