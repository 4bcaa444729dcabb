"""A sweep on a real Ray cluster of three nodes, one of which is killed while it works."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from support.chat_server import ChatServer, clean_environment, hold, no_certificates, server
from support.forked import PATIENCE
from system.real.held_sweep import HeldSweep

__all__ = ["clean_environment", "hold", "no_certificates", "server"]
pytestmark = pytest.mark.real_server
LAUNCHER = """
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
    # Its workers are otherwise at niceness 15, and never come to their turn beside the rest of the suite.
    monkeypatch.setenv("RAY_worker_niceness", "0")
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
    sweep = HeldSweep(tmp_path, server, hold(), LAUNCHER.format(address=cluster.address))
    process = sweep.project.start([sys.executable, "-m", "jmedethic_pytest", "sweep", "sweep.toml", "--on=ray"])
    sweep.wait()
    cluster.remove_node(nodes[1], allow_graceful=False)
    sweep.go_on()
    output, _ = process.communicate(timeout=PATIENCE)
    # What the lost node had asked is asked again, once, unless its process lives on.
    assert sweep.asked(output) <= 19
