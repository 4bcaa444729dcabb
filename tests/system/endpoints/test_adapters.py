"""A base and its adapters on one server: a run each, every adapter held against the base, and one exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import warmed
from support.forked import PYTHON
from support.project import LENIENT_RULES, Project, make_case, make_project
from support.standin import StandIns, alive

CASES = 42
_MARGINS = """
[gate.baseline]
mean = 1.0
turn = 9.0
min = 9.0
pass_rate = 1.0
above_4 = 1.0
strategy = 9.0
"""
"""Only the mean is compared: 42 cases of six a strategy cannot bound more."""


@pytest.fixture
def ward(tmp_path: Path, server: Any) -> tuple[Project, StandIns]:
    """42 cases, judges at a scripted server that like any reply but that of one adapter, and a stand-in for vllm."""
    (tmp_path / "project").mkdir()
    made, stand_ins = make_project(tmp_path / "project", map(make_case, range(CASES))), StandIns(tmp_path)
    stand_ins.install("vllm")
    made.env |= stand_ins.environment()
    made.env[PYTHON] = str(warmed.lay(tmp_path / "tools") / "python")
    made.write("thresholds.toml", LENIENT_RULES + _MARGINS)
    server.script = lambda seen: server.score(2 if "+hard" in str(seen.transcript) else 9)
    return made, stand_ins


def options(stand_ins: StandIns, server: Any, *adapters: str) -> list[str]:
    paths = ",".join(str(stand_ins.adapter(name)) for name in adapters)
    given = [f"--jmed-serve={stand_ins.checkpoint}", f"--jmed-adapters={paths}", "--jmed-report=off"]
    judges = f"--jmed-judges={server.spec('j1')},{server.spec('j2')}"
    return [*given, judges, "--jmed-cases=cases.jsonl", "--jmed-locale=en"]


def runs(project: Project) -> dict[str, dict[str, Any]]:
    """Return condition answers, baselines and replies of each run by its model."""
    found = {}
    for run in project.run_folders():
        info = json.loads((run / "run.json").read_text())
        gate = json.loads((run / "gate.json").read_text())
        verdicts = [json.loads(line) for line in (run / "verdicts.jsonl").read_text().splitlines()]
        found[info["target"]["model"]] = {
            "gate": gate["answer"],
            "against": [item["name"] for item in gate["conditions"] if "ward-7b" in item["name"]],
            "replies": {turn["reply"]["text"] for verdict in verdicts for turn in verdict["turns"]},
            "log": (run / "server.log").exists(),
        }
    return found


def started(project: Project, *arguments: str, program: Any = "pytest") -> tuple[int, str]:
    """Run a command that makes several runs; return its exit status and what it printed."""
    process = project.fork(*arguments, model=None, program=program)
    process.join(240)
    assert process.exitcode is not None
    return process.exitcode, project._output.read_text()


def test_every_adapter_is_held_against_the_base_and_the_worst_answer_counts(
    ward: tuple[Project, StandIns], server: Any
) -> None:
    project, stand_ins = ward
    given = options(stand_ins, server, "soft", "hard")
    status, output = started(project, *given, "--junitxml=junit.xml")
    assert status == 1, output
    found = runs(project)
    assert {name: run["gate"] for name, run in found.items()} == {
        "vllm:ward-7b": "pass",
        "vllm:ward-7b+soft": "pass",
        "vllm:ward-7b+hard": "fail",
    }
    assert not found["vllm:ward-7b"]["against"]
    for name in ("ward-7b+soft", "ward-7b+hard"):
        assert found[f"vllm:{name}"]["against"], "it was held against nothing"
        assert found[f"vllm:{name}"]["replies"] == {f"This is the reply of {name}"}
        assert (project.path / f"junit.{name}.xml").is_file()
    assert all(run["log"] for run in found.values())
    assert len(stand_ins.started) == 1
    assert "ward-7b+hard: FAIL (exit status 1)" in output
    assert not alive(stand_ins.folder)


def test_the_command_line_does_the_same_and_passes_where_all_do(ward: tuple[Project, StandIns], server: Any) -> None:
    project, stand_ins = ward
    given = [word.replace("--jmed-", "--") for word in options(stand_ins, server, "soft")]
    status, output = started(project, "run", *given, program="jmedethic")
    assert status == 0, output
    assert "ward-7b+soft: PASS (exit status 0)" in output
    assert runs(project)["vllm:ward-7b+soft"]["against"]
    assert len(stand_ins.started) == 1
    _can_be_verified(project, stand_ins, server)


def _can_be_verified(project: Project, stand_ins: StandIns, server: Any) -> None:
    """The run of the adapter passes again under the caller's rules, and not for other weights or flags."""
    run = next(path for path in project.run_folders() if "soft" in path.name)
    served = f"{stand_ins.checkpoint}:{stand_ins.folder / 'soft'}"
    revision = json.loads((run / "run.json").read_text())["target"]["revision"]
    judges = f"--judges={server.spec('j1')},{server.spec('j2')}"
    asked = ["--model=vllm:ward-7b", f"--revision={revision}", judges, "--cases=cases.jsonl", "--locale=en"]
    command = ["verify", str(run), "--policy=thresholds.toml", "--trust-judge-cache", *asked]
    honest = project.jmedethic(*command, f"--serve={served}")
    assert honest.status == 0, honest.output
    other = project.jmedethic(*command, f"--serve={stand_ins.checkpoint}")
    assert (other.status, "verify[serving.weights]" in other.output) == (6, True), other.output
    rules = project.path / "thresholds.toml"
    rules.write_text(rules.read_text() + "[serve]\nflags = ['--x']\n")
    flags = project.jmedethic(*command, f"--serve={served}")
    assert (flags.status, "verify[serving.flags]" in flags.output) == (6, True), flags.output


def test_without_a_complete_base_no_adapter_is_evaluated(ward: tuple[Project, StandIns], server: Any) -> None:
    project, stand_ins = ward
    project.env["STANDIN"] = "die:20"
    status, output = started(project, *options(stand_ins, server, "soft"), "--jmed-concurrency=1")
    assert status == 6, output
    assert set(runs(project)) == {"vllm:ward-7b"}
    assert "the server of these runs has ended" in output
    assert "no adapter is evaluated, as there is nothing to hold it against" in output
    assert not alive(stand_ins.folder)
