"""Which shard a process is to make: as it is told, or as schedulers tell; what is not clear is refused in words."""

from __future__ import annotations

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run import schedulers

SLURM = {
    "SLURM_ARRAY_TASK_ID": "5",
    "SLURM_ARRAY_TASK_MIN": "3",
    "SLURM_ARRAY_TASK_MAX": "6",
    "SLURM_ARRAY_TASK_COUNT": "4",
}
GRID_ENGINE = {"SGE_TASK_ID": "2", "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "8", "SGE_TASK_STEPSIZE": "1"}


@pytest.mark.parametrize(
    ("value", "environment", "part"),
    [
        ("2/4", {}, "2/4"),
        (" 2 / 4 ", SLURM, "2/4"),
        ("1/1", {}, "1/1"),
        ("auto", SLURM, "3/4"),
        ("auto/4", SLURM, "3/4"),
        ("auto", {"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_COUNT": "2"}, "1/2"),
        ("auto", {"JOB_COMPLETION_INDEX": "0", "JOB_COMPLETIONS": "16"}, "1/16"),
        ("auto/16", {"JOB_COMPLETION_INDEX": "15"}, "16/16"),
        ("auto", {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "5"}, "1/5"),
        ("auto/9", {"PBS_ARRAY_INDEX": "9", "CI_NODE_TOTAL": "1"}, "9/9"),
        ("auto", GRID_ENGINE, "2/8"),
        ("auto", {**SLURM, "SGE_TASK_ID": "undefined"}, "3/4"),
    ],
)
def test_a_part_is_told(value: str, environment: dict[str, str], part: str) -> None:
    assert str(schedulers.part(value, "--jmed-shard", environment)) == part


@pytest.mark.parametrize(
    ("value", "environment", "words"),
    [
        ("0/4", {}, "shard 0 of 4 does not exist: they are counted from 1 to 4"),
        ("5/4", {}, "shard 5 of 4"),
        ("1/0", {}, "0 shards are not allowed: give 1 to 10,000"),
        ("1/10001", {}, "10001 shards are not allowed"),
        ("4", {}, "'4' is not allowed: give K/N"),
        ("a/b", {}, "is not allowed"),
        ("1/2/3", {}, "is not allowed"),
        ("\u0661/\u0662", {}, "is not allowed"),
        ("auto/", SLURM, "is not allowed"),
        ("auto", {}, "no job array is around this process (none of SLURM_ARRAY_TASK_ID,"),
        ("auto", {**SLURM, "CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "2"}, "ambiguous: SLURM_ARRAY_TASK_ID=5, CI_NODE_"),
        ("auto/5", SLURM, "Slurm says that there are 4"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_MAX": "9"}, "numbered with gaps"),
        ("auto", {**GRID_ENGINE, "SGE_TASK_STEPSIZE": "2"}, "numbered with gaps"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_MIN": ""}, "SLURM_ARRAY_TASK_MIN is not set"),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_ID": "x"}, "SLURM_ARRAY_TASK_ID is 'x', which is no number"),
        ("auto", {"JOB_COMPLETION_INDEX": "3"}, "Kubernetes does not say how many jobs there are. Give auto/N"),
        ("auto", {"PBS_ARRAY_INDEX": "1"}, "PBS does not say how many"),
        ("auto/4", {"PBS_ARRAY_INDEX": "0"}, "shard 0 of 4 does not exist"),
    ],
)
def test_what_is_not_clear_is_refused(value: str, environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        schedulers.part(value, "--jmed-shard", environment)
    assert str(refused.value).startswith("--jmed-shard: ")
    assert words in str(refused.value)
