"""A sweep on a real Slurm cluster of three nodes, one of which is lost while it works."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES
from support.chat_server import ChatServer, clean_environment, hold, no_certificates, server
from support.forked import PATIENCE
from support.project import LENIENT_RULES, make_case, make_project
from system.real import slurm_cluster

__all__ = ["clean_environment", "hold", "no_certificates", "server"]
pytestmark = pytest.mark.real_server
SWEEP = """
schema_version = 1
locales = ["en"]
shards = 3
args = ["--cases=cases.jsonl", "--concurrency=1"]
judge_args = ["--judges={judges}", "--report=off"]

[[models]]
name = "a"
model = "compatible:a"
base_url = "{url}"

[slurm]
poll_seconds = 0.5
settle_seconds = 0.0
setup = ["echo prepared"]
"""


@pytest.fixture
def cluster() -> Iterator[slurm_cluster.Cluster]:
    """Three nodes; a loud skip where there is no Slurm."""
    missing = slurm_cluster.missing()
    if missing:
        reason = f"NOT TESTED against a real Slurm: {missing[0]} missing. Next: apt-get install slurm-wlm munge"
        warnings.warn(pytest.PytestWarning(reason), stacklevel=1)
        pytest.skip(reason)
    with slurm_cluster.running(3) as made:
        yield made


def test_a_node_that_is_lost_loses_nothing_and_repeats_nothing(
    cluster: slurm_cluster.Cluster, server: ChatServer, hold: Any, tmp_path: Path
) -> None:
    waiting = hold()

    def script(seen: Any) -> Any:
        return server.score(9) if seen.model.startswith("j") else server.openai(f"safe {seen.last}", hold=waiting)

    def asked() -> Counter[str]:
        return Counter(str(seen.messages) for seen in server.of("a") if seen.last not in PROBES)

    server.script = script
    made = make_project(tmp_path, [make_case(number) for number in range(6)])
    made.env = cluster.environment
    made.write("thresholds.toml", LENIENT_RULES)
    made.write("sweep.toml", SWEEP.format(url=server.openai_url, judges=f"{server.spec('j1')},{server.spec('j2')}"))
    command = [sys.executable, "-m", "jmedethic_pytest", "sweep", "sweep.toml", "--on=slurm"]

    # Three parts, each with a question on its way; then the command is killed, and one node with all that is on it.
    first = made.start(command)
    server.wait_for(lambda: len(asked()) == 3)
    first.kill()
    first.communicate()
    cluster.lose("n2")
    waiting.release()
    output, _ = made.start(command).communicate(timeout=PATIENCE)
    assert output.splitlines()[-1] == "GATE: PASS", output
    # 6 conversations of 3 turns; what was on its way on the lost node was asked again, and nothing else.
    assert len(asked()) == 18
    assert sum(asked().values()) == 19
    assert Counter(seen.model for seen in server.seen if seen.model != "a") == {"j1": 18, "j2": 18}
    log = made.path / "reports" / "sweeps" / "sweep" / "steps" / "a.core.en" / "slurm-1.log"
    assert "prepared" in log.read_text(encoding="utf-8")
