"""A sweep on a real Slurm cluster of three nodes, one of which is lost while it works."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.chat_server import ChatServer, clean_environment, hold, no_certificates, server
from support.forked import PATIENCE
from system.real import slurm_cluster
from system.real.held_sweep import HeldSweep

__all__ = ["clean_environment", "hold", "no_certificates", "server"]
pytestmark = pytest.mark.real_server
LAUNCHER = """
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
    sweep = HeldSweep(tmp_path, server, hold(), LAUNCHER)
    made = sweep.project
    made.env = cluster.environment
    command = [sys.executable, "-m", "jmedethic_pytest", "sweep", "sweep.toml", "--on=slurm"]

    # Three parts, each with a question on its way; then the command is killed, and one node with all that is on it.
    first = made.start(command)
    sweep.wait()
    first.kill()
    first.communicate()
    cluster.lose("n2")
    sweep.go_on()
    output, _ = made.start(command).communicate(timeout=PATIENCE)
    # What was on its way on the lost node was asked again, and nothing else.
    assert sweep.asked(output) == 19
    log = made.path / "reports" / "sweeps" / "sweep" / "steps" / "a.core.en" / "slurm-1.log"
    assert "prepared" in log.read_text(encoding="utf-8")
