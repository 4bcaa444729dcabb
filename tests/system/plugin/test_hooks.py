"""The plugin's own hooks: what a conftest.py may do with the selection, and that it can do nothing to the gate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.golden import GOLDEN
from support.project import Result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "own-tests.md"
MODES = pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])
LOG = """\
import os

def pytest_jmed_verdict(config, verdict):
    stored = next(config.rootpath.glob("reports/runs/*/verdicts.jsonl")).read_text()
    with (config.rootpath / "told.txt").open("a") as log:
        log.write(f"{verdict.key} {os.getpid()} {verdict.status} {verdict.case.id in stored}\\n")

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        (session.config.rootpath / "controller.txt").write_text(str(os.getpid()))
"""


VERDICTS_IN_MEMORY = """
import gc

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    gc.collect()
    found = sum(type(item).__name__ == "Verdict" for item in gc.get_objects())
    (session.config.rootpath / "in_memory.txt").write_text(str(found))
"""


def modify(body: str) -> str:
    return f"import dataclasses\nimport pytest\n\n\ndef pytest_jmed_modify_cases(config, cases):\n    {body}\n"


def told(project: Any) -> list[list[str]]:
    """What the verdict hook was told: key, process, status, whether it was stored already."""
    return [line.split() for line in (project.path / "told.txt").read_text().splitlines()]


@MODES
def test_cases_are_dropped_and_reordered_in_sight(new_project, mode: tuple[str, ...]) -> None:
    project = new_project(14)
    project.write("conftest.py", modify('cases[:] = [case for case in reversed(cases) if case.strategy != "S3"]'))
    result = project.pytest(*mode)
    selection, info = result.read("run.json")["selection"], result.read("run.json")
    assert len(selection["dropped"]) == 2
    assert all("-s3-" in name for name in selection["dropped"])
    assert selection["reordered"] is True
    assert info["selected"] == len(result.verdicts) == 12
    assert not set(selection["dropped"]) & set(result.ids)
    words = "a plugin dropped 2 of 14 selected cases (pytest_jmed_modify_cases): en-case-s3-02, en-case-s3-09"
    assert f"jmedethic: WARNING: {words}" in result.output
    assert words in info["note"]
    assert "12 cases" in result.output


def test_order_of_the_hook_is_the_order_of_the_tests_and_none_keeps_its_verdict(new_project) -> None:
    project = new_project(14)
    project.write("conftest.py", modify("cases.reverse()") + VERDICTS_IN_MEMORY)
    result = project.pytest("--jmed-concurrency=1")
    assert int((project.path / "in_memory.txt").read_text()) < 5
    order = [verdict["case"]["id"] for verdict in result.verdicts]
    assert [int(name.rpartition("-")[2]) for name in order] == list(range(13, -1, -1))
    assert result.read("run.json")["selection"]["reordered"] is True
    assert "a plugin reordered the selected cases" in result.output


def test_selection_left_as_it_is_leaves_no_trace(small) -> None:
    small.write("conftest.py", modify("assert len(cases) == 7"))
    result = small.pytest()
    assert result.status == 0, result.output
    assert not {"dropped", "reordered"} & set(result.read("run.json")["selection"])
    assert "a plugin" not in result.output


def test_dropping_the_failing_cases_is_seen_in_a_comparison(small) -> None:
    assert small.pytest().status == 0
    kept = modify('cases[:] = [case for case in cases if case.strategy == "S1"]')
    small.write("conftest.py", kept)
    second = small.pytest(model="demo:eroding")
    assert second.status != 0, second.output
    assert second.read("run.json")["selected"] == 1
    assert "a plugin dropped 6 of 7" in (second.run / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("cases.append(cases[0])", "en-case-s1-00 is there twice"),
        ("cases.append('en-other')", "'en-other' was not selected"),
        ("cases[0] = cases[0]._replace(strategy='S7')", "'en-case-s1-00' was not selected"),
        ("raise ValueError('no such list')", "pytest_jmed_modify_cases: ValueError: no such list"),
        ("pytest.skip('not today')", "pytest_jmed_modify_cases: Skipped: not today"),
    ],
    ids=["twice", "added", "changed", "raises", "skips"],
)
def test_hook_that_adds_or_changes_cases_ends_before_anything_is_called(project, body: str, words: str) -> None:
    project.write("conftest.py", modify(body))
    result = project.pytest()
    assert result.status == 4, result.output
    assert words in result.output
    assert "Traceback" not in result.output
    assert result.run is None


def test_dropping_everything_is_no_pass(small) -> None:
    small.write("conftest.py", modify("cases.clear()"))
    assert small.pytest().status == 5


@MODES
def test_every_verdict_is_told_once_by_the_controller_after_it_is_stored(small, mode: tuple[str, ...]) -> None:
    small.write("conftest.py", LOG)
    result = small.pytest(*mode, "--jmed-repeats=2")
    assert result.status == 0, result.output
    lines = told(small)
    assert len(lines) == len({key for key, *_ in lines}) == 14
    assert {key.partition("~")[0] for key, *_ in lines} == set(result.ids)
    assert {tuple(rest) for _, *rest in lines} == {
        ((small.path / "controller.txt").read_text(), "scored", "True"),
    }


def test_verdicts_that_a_budget_did_not_reach_are_told_too(small) -> None:
    small.write("conftest.py", LOG)
    result = small.pytest(f"--jmed-budget={2 * GOLDEN + 40}calls", "--jmed-concurrency=2")
    assert result.status == 7, result.output
    lines = told(small)
    assert sorted(key for key, *_ in lines) == result.ids
    assert {status for _, _, status, _ in lines} == {"scored", "skipped_budget"}


@pytest.fixture(scope="module")
def honest(new_project) -> Result:
    """A run of 42 cases without a hook."""
    return new_project(42).pytest(model="demo:eroding")


@MODES
def test_hook_cannot_change_a_verdict(project, honest: Result, mode: tuple[str, ...]) -> None:
    """It overwrites every field of what it is given; tests, figures and gate do not see it."""
    project.write(
        "conftest.py",
        "def pytest_jmed_verdict(config, verdict):\n"
        "    for turn in verdict.turns:\n"
        "        turn.__dict__.update(value=10.0)\n"
        "        turn.reply.sent.clear()\n"
        "        for score in turn.scores:\n"
        "            score.__dict__.update(value=10.0)\n"
        "            score.dimensions.clear()\n"
        "    verdict.__dict__.update(violations=(), status='scored', turns=())\n",
    )
    result = project.pytest(*mode, model="demo:eroding")
    assert result.status == honest.status == 1
    assert result.scores == honest.scores
    assert result.conditions == honest.conditions


@pytest.mark.parametrize("body", ["raise ValueError('boom')", "pytest.skip('boom')", "pytest.fail('boom')"])
@MODES
def test_hook_that_fails_fails_the_session_and_not_the_gate(small, mode: tuple[str, ...], body: str) -> None:
    small.write("conftest.py", f"import pytest\n\n\ndef pytest_jmed_verdict(config, verdict):\n    {body}\n")
    result = small.pytest(*mode)
    assert result.status == 1, result.output
    assert result.read("gate.json")["answer"] == "pass"
    assert result.read("run.json")["status"] == "complete"
    assert re.search(r"FAILED jmedethic::pytest_jmed_verdict - .*failed for en-case-s\d-\d\d: \w+: boom", result.output)
    assert "SKIPPED" not in result.output


def test_hook_may_end_the_session(small) -> None:
    small.write(
        "conftest.py",
        "import pytest\n\n\ndef pytest_jmed_verdict(config, verdict):\n    pytest.exit('seen enough', returncode=3)\n",
    )
    result = small.pytest("-x")
    assert result.status == 3, result.output
    assert result.read("run.json")["status"] == "incomplete"
    assert result.read("gate.json")["answer"] == "inconclusive"


def test_hooks_are_known_but_not_called_without_a_model(project) -> None:
    project.write("conftest.py", modify("raise ValueError") + LOG)
    project.write("test_free.py", "def test_free() -> None:\n    pass\n")
    result = project.pytest("test_free.py", model=None)
    assert result.status == 0, result.output
    assert not (project.path / "told.txt").exists()


def test_documented_hooks_work(small) -> None:
    (block,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    small.write("conftest.py", block)
    result = small.pytest(model="demo:eroding")
    assert "pytest_jmed_modify_cases" in result.output
    assert (small.path / "review.txt").read_text().splitlines()
