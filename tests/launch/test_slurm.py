"""What a queue says, and what it refuses; programs that answer as Slurm's do stand for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.launch import launchers, states, sweep_file
from jmedethic_pytest.launch.plan import Step
from jmedethic_pytest.launch.slurm import Slurm
from jmedethic_pytest.launch.work import Work

RULES = "[slurm]\npoll_seconds = 1e-9\nsettle_seconds = 0.0\noptions = ['--partition=gpu']\nat_once = 2"
PARTS = [Step("a.core.ja", "collect", 1), Step("a.core.ja", "collect", 2)]


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put programs where Slurm's are looked for: lines of shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)

    put("sbatch", 'echo "$@" >> submitted; echo "7;here"')
    put("squeue", "true")
    put("sacct", "echo accounting is disabled >&2; exit 1")
    return put


@pytest.fixture
def slurm(
    queue: Callable[[str, str], None],
    planned: Callable[..., Work],
    write_sweep: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], tuple[Slurm, Work]]:
    """Connect with that queue, for two parts of two models."""

    def make() -> tuple[Slurm, Work]:
        work = planned("shards = 2", RULES)
        monkeypatch.chdir(work.home)
        return Slurm(sweep_file.load(write_sweep("shards = 2", RULES)), work), work

    return make


def test_jobs_of_an_earlier_command_are_found_by_their_names_and_not_submitted_again(
    slurm: Callable[[], tuple[Slurm, Work]], queue: Callable[[str, str], None], tmp_path: Path
) -> None:
    first, _ = slurm()
    first.start(PARTS)
    submitted = (tmp_path / "submitted").read_text(encoding="utf-8")
    assert submitted.startswith("--partition=gpu --parsable --job-name=jmedethic-")
    assert "--array=1,2%2" in submitted
    assert first.running() == set()  # the queue is empty again, and nothing is waited for
    name = submitted.partition("--job-name=")[2].split()[0]
    queue("squeue", f"printf '%s\\n' '{name}|7|2' 'other|8|1' '{name}|9|N/A'")
    second, work = slurm()
    assert second.running() == {PARTS[1]}
    seen = launchers.queue(sweep_file.load(work.file), work)
    assert seen is not None
    assert seen.running() == {PARTS[1]}  # `jmedethic sweep status` asks the queue too
    second.start(PARTS)
    assert "--array=1%2" in (tmp_path / "submitted").read_text(encoding="utf-8").splitlines()[1]


def test_what_is_refused_or_lost_is_told_with_the_words_of_slurm(
    slurm: Callable[[], tuple[Slurm, Work]], queue: Callable[[str, str], None]
) -> None:
    made, work = slurm()
    made.start(PARTS)
    made.running()
    queue("squeue", "echo 'NODE_FAIL|n2'")
    assert made.word(PARTS[0]) == "job 7_1: NODE_FAIL on n2"
    queue("sacct", "echo 'OUT_OF_MEMORY|n1'")
    found = states.look(work, (), made.word)[0]
    assert [failure.reason for failure in found.failures] == [
        f"job 7_{number}: OUT_OF_MEMORY on n1" for number in (1, 2)
    ]
    queue("sbatch", "echo sbatch: error: invalid partition specified: gpu >&2; exit 1")
    queue("squeue", "true")
    made, work = slurm()
    made.start(PARTS)
    assert made.running() == set()
    reasons = {failure.reason for failure in states.look(work, (), made.word)[0].failures}
    assert reasons == {"sbatch: sbatch: error: invalid partition specified: gpu"}


def test_a_queue_that_does_not_answer_is_asked_again_for_a_while(
    slurm: Callable[[], tuple[Slurm, Work]], queue: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = slurm()
    made.start(PARTS)
    queue("squeue", "echo Unable to contact slurm controller >&2; exit 1")
    assert made.running() == {*PARTS}
    with pytest.raises(StoreError, match=r"Unable to contact slurm controller\. What was submitted goes on"):
        any(made.running() == set() for _ in range(30))
    with pytest.raises(ConfigError, match="--on=slurm: squeue: Unable to contact"):
        slurm()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="sbatch is not on this machine"):
        slurm()
