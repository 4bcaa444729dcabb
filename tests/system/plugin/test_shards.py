"""A run that pytest makes in shards, and what is merged of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HOOK = """\
def pytest_jmed_modify_cases(config, cases):
    cases[:] = [case for case in reversed(cases) if case.strategy != "S3"]
"""


@pytest.fixture(scope="module")
def divided(new_project, new_case):
    """A project whose hook drops cases, with a run of it and its two shards."""
    project = new_project([new_case(number) for number in range(42)])
    project.write("conftest.py", HOOK)
    whole = project.pytest("-q", "--jmed-reports=whole", model="demo:eroding", reports="whole")
    shards = [
        project.pytest(
            f"--jmed-shard={number}/2", f"--jmed-reports=s{number}", *more, model="demo:eroding", reports=f"s{number}"
        )
        for number, more in ((1, ("-n", "2", "--jmed-strict")), (2, ()))
    ]
    return project, whole, shards


def test_a_shard_neither_passes_nor_fails(divided) -> None:
    _, whole, shards = divided
    assert whole.status == 1, whole.output
    for number, result in enumerate(shards, start=1):
        assert result.status == 6, result.output
        assert f"jmedethic: shard {number}/2 of 36 cases: it decides nothing alone" in result.output
        assert "GATE: INCONCLUSIVE" in result.output
        assert result.conditions["shard"] == "inconclusive"
        assert "fail" not in result.conditions.values()
        info = result.read("run.json")
        assert (info["status"], info["shard"]["number"], info["shard"]["count"]) == ("complete", number, 2)
        assert info["shard"]["cases"] == whole.read("run.json")["digests"]["cases"]
    assert sorted(shards[0].ids + shards[1].ids) == whole.ids


def test_the_merged_run_is_the_undivided_one(divided) -> None:
    project, whole, _ = divided
    merged = project.jmedethic("merge", "s1", "s2", "--report=off")
    assert merged.status == whole.status, merged.output
    for name in ("summary.json", "gate.json"):
        assert merged.read(name) == whole.read(name)
    assert merged.read("run.json")["selection"] == whole.read("run.json")["selection"]
    assert "GATE: FAIL" in merged.output


def test_a_shard_of_which_tests_were_left_out_is_not_merged(divided) -> None:
    project, _, _ = divided
    part = project.pytest("--jmed-shard=2/2", "--jmed-reports=part", "-k", "s1", model="demo:eroding", reports="part")
    assert part.status == 6
    refused = project.jmedethic("merge", "s1", "part", "--reports=other")
    assert refused.status == 6
    assert "(-k, -m or --deselect leave some out, or lines are lost)" in refused.output
    assert not Path(project.path, "other").exists()
    assert json.loads((part.run / "run.json").read_text())["shard"]["evaluations"] > len(part.verdicts)
