"""``--jmed-serve``: a checkpoint in the place of a URL, with programs that stand in for the engines."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.project import LENIENT_RULES, Project, make_case
from support.standin import StandIns, alive

PATIENCE = 120.0


@pytest.fixture
def ward(new_project: Any, tmp_path: Path) -> tuple[Project, StandIns]:
    """A project of eight cases and lenient rules, and a checkpoint of two adapters with what serves it."""
    project, stand_ins = new_project(8), StandIns(tmp_path)
    stand_ins.install("vllm")
    project.write("thresholds.toml", LENIENT_RULES + "[serve]\nflags = ['--gpu-memory-utilization', '0.5']\n")
    project.env |= stand_ins.environment()
    return project, stand_ins


def options(stand_ins: StandIns, *more: str) -> list[str]:
    given = [f"--jmed-serve={stand_ins.checkpoint}", "--jmed-judges=demo", "--jmed-cases=cases.jsonl"]
    return [*given, "--jmed-locale=en", "--jmed-report=off", "--jmed-no-golden", *more]


def until(true: Callable[[], object]) -> None:
    last = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < last
        time.sleep(0.05)


def test_one_server_for_all_workers_and_nothing_of_it_is_left(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    done = project.pytest(*options(stand_ins, "-n", "2"), model=None)
    assert (len(done.verdicts), len(stand_ins.started)) == (8, 1), done.output
    assert not alive(stand_ins.folder)
    assert {turn["reply"]["text"] for verdict in done.verdicts for turn in verdict["turns"]} == {
        "This is the reply of ward-7b"
    }
    target = done.read("run.json")["target"]
    serving = target["serving"]
    assert (target["model"], target["base_url"]) == ("vllm:ward-7b", "served by vllm")
    assert target["revision"] == serving["weights"]
    assert serving["weights"].startswith("fast:")
    assert (serving["engine"], serving["version"], serving["context"]) == ("vllm", "9.8.7", 4096)
    assert serving["flags"] == ["--gpu-memory-utilization", "0.5"]
    assert stand_ins.started[0]["argv"][-2:] == serving["flags"]
    assert done.run is not None
    assert (done.run / "server.log").is_file()
    assert "ward-7b will be served by vllm: ward-7b, fast:" in done.output

    again = project.pytest(*options(stand_ins), model=None)  # equal weights, engine and flags: nothing is asked anew
    assert {key: count for key, count in again.calls.items() if count} == {"probe": 5}
    rules = project.path / "thresholds.toml"
    rules.write_text(rules.read_text().replace("0.5", "0.6"))
    other = project.pytest(*options(stand_ins), model=None)  # other flags are another server
    assert other.calls["target"] == 24


def test_a_failure_at_the_start_ends_with_4_and_leaves_no_run(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    project.env["STANDIN"] = "fail"
    for done in (
        project.pytest(*options(stand_ins), model=None),
        project.jmedethic("run", *(word.replace("--jmed-", "--") for word in options(stand_ins))),
    ):
        assert (done.status, done.run) == (4, None), done.output
        assert "CUDA out of memory" in done.output
        assert "Traceback" not in done.output
    assert not alive(stand_ins.folder)


def test_a_death_under_way_is_inconclusive_and_the_same_command_goes_on(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    project.env["STANDIN"] = "die:20"
    done = project.pytest(*options(stand_ins, "--jmed-concurrency=1"), model=None)
    assert done.status == 6, done.output
    assert "the server of this run (vllm) ended with status 5. Its last lines: Engine core died unexpectedly" in (
        done.output
    )
    assert done.read("run.json")["status"] == "incomplete"
    paid = done.calls["target"]
    assert 0 < paid < 24
    assert not alive(stand_ins.folder)
    project.env["STANDIN"] = ""
    rest = project.pytest(*options(stand_ins), model=None)
    assert len(rest.verdicts) == 8, rest.output
    assert 24 - paid <= rest.calls["target"] < 24


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_is_left_whatever_ends_pytest(ward: tuple[Project, StandIns], number: signal.Signals) -> None:
    project, stand_ins = ward
    project.env["STANDIN"] = "leave"
    hang = "import time\nfrom pathlib import Path\ndef test_it(verdict):\n    Path('in').touch()\n    time.sleep(600)\n"
    project.write("test_conversations.py", hang)
    process = project.fork(*options(stand_ins), model=None)
    until(lambda: (project.path / "in").exists() or process.exitcode is not None)
    assert alive(stand_ins.checkpoint)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(PATIENCE)
    assert process.exitcode == (2 if number == signal.SIGINT else -signal.SIGKILL)
    until(lambda: not alive(stand_ins.folder))


def test_two_runs_at_once_have_a_server_each(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    both = [project.fork(*options(stand_ins), model=None) for _ in range(2)]
    for process in both:
        process.join(PATIENCE)
    ports = [item["argv"][item["argv"].index("--port") + 1] for item in stand_ins.started]
    assert len(set(ports)) == 2
    runs = [json.loads((run / "run.json").read_text()) for run in project.run_folders()]
    assert [run["status"] for run in runs] == ["complete", "complete"]
    assert not alive(stand_ins.folder)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--jmed-serve={0}", "--jmed-base-url=http://x/v1"], "--jmed-serve starts a server of its own"),
        (["--jmed-serve={0}x"], "there is nothing at"),
        (["--jmed-serve={0}", "--model=ollama:x"], "engine: unknown value 'ollama'"),
        (["--model=local:smollm3"], "--model: unknown value 'local:smollm3'. Did you mean 'local:smollm2'"),
        (["--jmed-serve={0}", "--jmed-thresholds=long.toml"], "has a context of 4,096 tokens, and the longest"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_started(
    ward: tuple[Project, StandIns], given: list[str], said: str
) -> None:
    project, stand_ins = ward
    project.write("long.toml", "schema_version = 1\n[target]\nmax_tokens = 5000\n")
    words = [word.format(stand_ins.checkpoint) for word in given]
    done = project.pytest(*words, "--jmed-judges=demo", model=None)
    assert done.status == 4, done.output
    assert said in done.output
    assert not stand_ins.started


def test_shards_of_one_checkpoint_become_one_run_wherever_they_were_served(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    project.cases(make_case(number) for number in range(14))
    for part in ("1/2", "2/2"):
        done = project.pytest(*options(stand_ins, f"--jmed-shard={part}"), model=None)
        assert done.run is not None, done.output
    merged = project.jmedethic("merge", *map(str, sorted(project.run_folders())), "--report=off")
    assert merged.run is not None, merged.output
    assert len(merged.verdicts) == 14
    assert merged.read("run.json")["target"]["serving"]["engine"] == "vllm"


def test_with_redact_nothing_that_the_server_printed_is_kept(ward: tuple[Project, StandIns]) -> None:
    project, stand_ins = ward
    project.env["STANDIN"] = "die:9"
    done = project.pytest(*options(stand_ins, "--jmed-redact", "--jmed-concurrency=1"), model=None)
    assert done.status == 6, done.output
    assert "the server of this run (vllm) ended with status 5." in done.output
    assert not [name for name, content in done.everything() if b"Engine core died" in content]
    assert "Engine core died" not in done.output
