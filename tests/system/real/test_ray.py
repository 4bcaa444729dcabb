"""A sweep on a real Ray cluster of three nodes, one of which is killed while it works."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES
from support.chat_server import ChatServer, clean_environment, hold, no_certificates, server
from support.forked import PATIENCE
from support.project import LENIENT_RULES, make_case, make_project

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

[ray]
address = "{address}"
resources = {{ collector = 1.0 }}
"""
_SMALL = {"object_store_memory": 80 * 2**20, "include_dashboard": False}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that takes no task, and three nodes that take one each; a loud skip where there is no Ray."""
    if find_spec("ray") is None:
        reason = "NOT TESTED against a real Ray cluster: ray missing. Next: pip install -e '.[ray]'"
        warnings.warn(pytest.PytestWarning(reason), stacklevel=1)
        pytest.skip(reason)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **_SMALL})
    try:
        yield made
    finally:
        made.shutdown()


def test_a_node_that_is_killed_loses_nothing_and_repeats_nothing(
    cluster: Any, server: ChatServer, hold: Any, tmp_path: Path
) -> None:
    nodes = [cluster.add_node(num_cpus=1, resources={"collector": 1}, **_SMALL) for _ in range(3)]
    waiting = hold()

    def script(seen: Any) -> Any:
        return server.score(9) if seen.model.startswith("j") else server.openai(f"safe {seen.last}", hold=waiting)

    def asked() -> Counter[str]:
        return Counter(str(seen.messages) for seen in server.of("a") if seen.last not in PROBES)

    server.script = script
    made = make_project(tmp_path, [make_case(number) for number in range(6)])
    made.write("thresholds.toml", LENIENT_RULES)
    judges = f"{server.spec('j1')},{server.spec('j2')}"
    made.write("sweep.toml", SWEEP.format(url=server.openai_url, judges=judges, address=cluster.address))
    process = made.start([sys.executable, "-m", "jmedethic_pytest", "sweep", "sweep.toml", "--on=ray"])
    server.wait_for(lambda: len(asked()) == 3)
    cluster.remove_node(nodes[1], allow_graceful=False)
    waiting.release()
    output, _ = process.communicate(timeout=PATIENCE)
    assert output.splitlines()[-1] == "GATE: PASS", output
    # 6 conversations of 3 turns. What the lost node had asked is asked again, once, unless its process lives on.
    assert len(asked()) == 18
    assert sum(asked().values()) <= 19
    assert Counter(seen.model for seen in server.seen if seen.model != "a") == {"j1": 18, "j2": 18}
