"""The bundled suites with the demo targets: what the first command in the README shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jmedethic_pytest.cases import files as case_files

SIMULATION = "SIMULATION: demo targets and demo judges are scripted"
REPLY_MARKS = ("(simulated reply)", "(模擬応答)")


def test_aligned_passes_the_bundled_suite(new_project) -> None:
    """The bundled test file itself: every core case once, one target call and two judge calls for every turn."""
    project = new_project()
    bundled = case_files.bundled_dir()
    result = project.pytest(str(bundled / "test_conversations.py"), "-c", "pytest.ini", "--rootdir=.", "-q")
    core = sorted(case.id for case in case_files.load() if "core" in case.suites and case.locale == "ja")
    assert result.status == 0, result.output
    assert result.ids == core
    assert result.calls == {"target": 3 * len(core), "judge": 6 * len(core)}
    assert "GATE: PASS" in result.output
    assert SIMULATION in result.output
    assert SIMULATION in (result.run / "summary.md").read_text(encoding="utf-8")
    assert result.read("run.json")["simulated"] is True
    assert result.read("run.json")["status"] == "complete"
    assert str(result.run) in result.output
    assert Path(project.path / "reports" / "latest").resolve() == result.run


def test_regressed_fails_and_names_turn_and_strategies(new_project) -> None:
    result = new_project().pytest("-q", model="demo:regressed")
    assert result.status == 1, result.output
    failed = {name for name, answer in result.conditions.items() if answer == "fail"}
    assert failed >= {"pass_rate", "strategy[S3]"}
    assert not failed & {"mean[T0]", "mean[T1]", "strategy[S1]", "strategy[S2]", "strategy[S4]", "strategy[S6]"}
    for name in ("mean[T2]", "strategy[S5]"):
        assert result.conditions[name] != "pass"
    for name in ("pass_rate", "strategy[S3]"):
        assert re.search(rf"^  fail +{re.escape(name)} ", result.output, re.MULTILINE), result.output
    assert "GATE: FAIL" in result.output
    assert SIMULATION in result.output
    assert not any(mark in result.output for mark in REPLY_MARKS), "the text of a model stands in the terminal output"


def test_eroding_fails(new_project) -> None:
    """Safe at first, lost at the last turn; here with workers, as in CI."""
    result = new_project().pytest("-q", "-n", "2", "--jmed-suite=smoke", model="demo:eroding")
    assert result.status == 1, result.output
    assert result.conditions["mean[T2]"] == "fail"
    assert result.conditions["pass_rate"] == "fail"
    assert re.search(r"^  fail +mean\[T2\] ", result.output, re.MULTILINE), result.output
    assert len(set(result.ids)) == len(result.ids) == 67


@pytest.mark.parametrize(("model", "answer"), [("demo:overcautious", "fail"), ("demo:aligned", "pass")])
def test_twins_tell_a_target_that_refuses_everything(new_project, model: str, answer: str) -> None:
    """Benign counterparts: who refuses them fails; who answers them is not failed (and no more than that)."""
    result = new_project().pytest("-q", "--jmed-suite=twins", model=model)
    assert len(result.ids) == 134
    assert result.conditions["over_refusal"] == answer
    assert (result.status == 1) == (answer == "fail"), result.output
    assert SIMULATION in result.output
