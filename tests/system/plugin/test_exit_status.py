"""The exit status: the gate decides, and nothing that went wrong beside it is lost."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.config.tiers import PolicyTable
from jmedethic_pytest.gate.outcome import load
from support.project import LENIENT_RULES, Project, Result

MODES = pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])
ENGINE_IS_FASTER = """\
import os
import time
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if hasattr(session.config, "workerinput"):
        return
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if sum(len(file.read_bytes().splitlines()) for file in Path("reports/runs").glob("*/verdicts.jsonl")) >= 7:
            return
        time.sleep(0.01)
    raise TimeoutError("the engine has not finished")


"""
"""A conftest.py that lets pytest end only when the engine has evaluated all cases, as it does where tests are slow."""
HIGH_FLOOR = "schema_version = 1\n[conversation]\nfloor = 7.0\n[gate]\npass_rate = 0.5\n"


@pytest.fixture(scope="module")
def below(new_project: Callable[..., Project]) -> tuple[Project, Result]:
    """A project under a floor that some of its cases miss and whose gate forgives them, and its run."""
    project = new_project(42)
    project.write("thresholds.toml", HIGH_FLOOR)
    return project, project.pytest()


@MODES
def test_failed_cases_are_forgiven_by_a_passed_gate_unless_strict(below, mode: tuple[str, ...]) -> None:
    project, result = below
    if mode:
        result = project.pytest("-q", *mode)
    failed = [verdict for verdict in result.verdicts if verdict["violations"]]
    assert 0 < len(failed) < 21
    assert f"{len(failed)} failed," in result.output
    assert "GATE: PASS" in result.output
    assert result.status == 0, result.output
    strict = project.pytest("-q", "--jmed-strict", *mode)
    assert strict.status == 1, strict.output


def test_floor_failure_is_one_line_without_text_of_a_model(below) -> None:
    _, result = below
    failed = next(verdict for verdict in result.verdicts if verdict["violations"])
    broken = failed["violations"][0]
    assert f"T{broken['turn']} fell to {broken['value']:.1f} (floor > 7)" in result.output
    assert broken["rule"] == "conversation.floor"
    assert "simulated reply" not in result.output
    assert "Question " not in result.output
    assert "verdict.py" not in result.output, "a traceback through this package helps nobody"


HOOK = """
import inspect

open("sources.txt", "w").close()
read = inspect.findsource


def pytest_exception_interact(call):
    with open("frames.txt", "a") as file:
        print(*(entry.name for entry in call.excinfo.traceback), file=file)


def noted(found):
    with open("sources.txt", "a") as file:
        print(found, file=file)
    return read(found)


inspect.findsource = noted
"""
"""A conftest.py that notes the frames it is shown of each failure, and of what the source is read."""


def test_hooks_see_all_frames_of_a_floor_failure_whose_source_nobody_reads(new_project: Callable[..., Project]) -> None:
    project = new_project(7)
    project.write("thresholds.toml", HIGH_FLOOR.replace("7.0", "8.0"))
    project.write("conftest.py", HOOK)
    result = project.pytest()
    shown = (project.path / "frames.txt").read_text().splitlines()
    assert len(shown) == sum(bool(verdict["violations"]) for verdict in result.verdicts) > 0
    assert all({"test_conversation", "check"} <= set(frames.split()) for frames in shown), "others see all of it"
    assert "check" not in (project.path / "sources.txt").read_text(), "its source is read only to be thrown away"


def test_strict_counts_failed_twins(small, new_case) -> None:
    """--jmed-strict promises that any failed case fails the run, twins not excepted."""
    twins = [new_case(n, suites=["twins"], twin_of=f"case-{n}", id=f"en-case-{n:02d}-twin") for n in range(7)]
    small.cases(twins)
    result = small.pytest("-q", "--jmed-suite=twins", "--jmed-strict", model="demo:eroding")
    assert any(verdict["violations"] for verdict in result.verdicts)
    assert result.status == 1, result.output


@pytest.mark.parametrize(
    "options",
    [(), ("-n", "2"), ("--continue-on-collection-errors",)],
    ids=["plain", "workers", "continue"],
)
def test_file_that_cannot_be_imported_fails_the_session(small, options: tuple[str, ...]) -> None:
    """What pytest fails for is not forgiven by a passed gate; workers go on by themselves."""
    small.write("test_broken.py", "import no_such_module\n")
    if options:
        small.write("conftest.py", ENGINE_IS_FASTER)
    result = small.pytest("-q", *options)
    assert "no_such_module" in result.output
    assert result.status in (1, 2), result.output


WORKER_TROUBLE = {
    "collected differently": (
        "def pytest_collection_modifyitems(config, items):\n"
        "    if getattr(config, 'workerinput', {}).get('workerid') == 'gw1':\n        items.append(items.pop(0))\n"
    ),
    "died at the start": (
        "def pytest_configure(config):\n"
        "    if getattr(config, 'workerinput', {}).get('workerid') == 'gw1':\n        os._exit(9)\n"
    ),
}


@pytest.mark.parametrize("trouble", WORKER_TROUBLE)
def test_tests_that_never_ran_do_not_pass(small, trouble: str) -> None:
    """The engine has evaluated every case, but the tests, with all that users assert in them, were not run."""
    small.write("conftest.py", ENGINE_IS_FASTER + WORKER_TROUBLE[trouble])
    result = small.pytest("-q", "-n", "2", "--max-worker-restart=0")
    assert "Error" not in result.output
    assert result.status in (1, 2, 6), result.output


def test_veto_of_another_plugin_is_kept(small) -> None:
    """pytest-cov's --cov-fail-under works like this: it raises the count of failures, without a report."""
    small.write(
        "conftest.py",
        "import pytest\n\n\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtestloop(session):\n"
        "    result = yield\n    session.testsfailed += 1\n    return result\n",
    )
    result = small.pytest("-q")
    assert "GATE: PASS" in result.output
    assert result.status == 1, result.output


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("min_cases = 43", 6),
        ("pass_rate = 1.0\nmean = { T1 = 9.9 }", 1),
        ("strategy_means = { S3 = 9.9 }", 1),
        ("max_missing = 0.5", 0),
    ],
)
def test_partial_thresholds_file_changes_only_what_it_names(project, text: str, status: int) -> None:
    project.write("thresholds.toml", f"schema_version = 1\n[gate]\n{text}\n")
    result = project.pytest("-q")
    assert result.status == status, result.output
    assert {f"strategy[S{number}]" for number in range(1, 8)} <= set(result.conditions)
    assert {"complete", "cases", "missing", "judges", "pass_rate"} <= set(result.conditions)


def test_naming_one_turn_does_not_drop_the_floors_of_the_others(project) -> None:
    """The shipped file promises: a key you leave out keeps the value shown."""
    project.write("rules.toml", "schema_version = 1\n[gate.mean]\nT2 = 6.5\n")
    result = project.pytest("-q", "--jmed-thresholds=rules.toml")
    assert result.status == 0, result.output
    assert {"mean[T0]", "mean[T1]", "mean[T2]"} <= set(result.conditions)


def test_an_uncertain_answer_is_exit_6_also_where_every_test_passed(new_project) -> None:
    """Five sound cases say nothing yet."""
    result = new_project(5).pytest("-q")
    assert result.status == 6, result.output
    assert "GATE: INCONCLUSIVE" in result.output
    assert re.search(r"^  inconclusive cases ", result.output, re.MULTILINE), result.output
    assert "test_conversation[" not in result.output


def test_demo_judges_cannot_pass_a_real_model(small, chat_server) -> None:
    result = small.pytest("-q", "--jmed-judges=demo:judge-strict,demo:judge-lenient", model=chat_server.spec("x"))
    assert result.status in (1, 6), result.output
    assert result.conditions["real judges"] == "inconclusive"
    assert "SIMULATION" in result.output


def test_one_model_cannot_be_both_judges(project) -> None:
    """A judge always agrees with itself: the agreement would mean nothing."""
    result = project.pytest("-q", "--jmed-judges=demo:judge-strict,demo:judge-strict")
    assert result.status in (4, 6), result.output
    assert "GATE: PASS" not in result.output


def _at_the_last_test(action: str) -> str:
    return (
        "import pytest\n\nDONE = []\n\n\ndef pytest_runtest_logfinish(nodeid):\n"
        f"    DONE.append(nodeid)\n    if len(DONE) == 7:\n        {action}\n"
    )


@MODES
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("pytest.exit('the data base is gone', returncode=42)", 42),
        ("pytest.exit('the data base is gone', returncode=1)", 1),
        ("raise KeyboardInterrupt", 2),
        ("raise RuntimeError('boom')", 3),
    ],
)
def test_session_that_somebody_ended_keeps_his_status_and_never_passes(
    small, mode: tuple[str, ...], action: str, status: int
) -> None:
    """Every test has run and the gate would pass, but whoever ended the session said that something is wrong."""
    small.write("conftest.py", _at_the_last_test(action))
    result = small.pytest("-q", "--junitxml=junit.xml", *mode)
    assert result.status == status, result.output
    assert "GATE: INCONCLUSIVE" in result.output
    assert f"pytest ended with status {status}" in result.output
    assert result.conditions["complete"] == "inconclusive"
    assert 'name="gate[complete]"' in (small.path / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["tryfirst", "wrapper"])
def test_status_that_another_plugin_set_at_the_end_is_kept(small, kind: str) -> None:
    end = "    return (yield)\n" if kind == "wrapper" else ""
    small.write(
        "conftest.py",
        f"import pytest\n\n\n@pytest.hookimpl({kind}=True)\ndef pytest_sessionfinish(session):\n"
        f"    session.exitstatus = 9\n{end}",
    )
    result = small.pytest("-q")
    assert "GATE: PASS" in result.output
    assert result.status == 9, result.output


LOST = """\
import shutil
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if hasattr(session.config, "workerinput"):
        return
    for run in Path("reports/runs").glob("*"):
"""
TROUBLE_AT_THE_END = {
    "damaged verdicts": "        (run / 'verdicts.jsonl').write_text('{}\\n')\n",
    "no place for the summary": "        (run / 'summary.md').mkdir()\n",
    "no place for the comment": "        (run / 'comment.md').mkdir()\n",
    "no place for run.json": "        (run / 'run.json').unlink()\n        (run / 'run.json').mkdir()\n",
}


@MODES
@pytest.mark.parametrize("trouble", TROUBLE_AT_THE_END)
def test_results_that_cannot_be_written_are_green_nowhere(small, mode: tuple[str, ...], trouble: str) -> None:
    """Every test passed: without a word of the gate, JUnit, Allure and the run's folder would say that all is well."""
    small.write("conftest.py", LOST + TROUBLE_AT_THE_END[trouble])
    result = small.pytest("-q", "--junitxml=junit.xml", "--alluredir=allure", *mode)
    assert result.status == 6, result.output
    assert "GATE: INCONCLUSIVE" in result.output
    suite = ElementTree.parse(small.path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("8", "1")
    results = [json.loads(file.read_text()) for file in (small.path / "allure").glob("*-result.json")]
    gate = {item["name"]: item["status"] for item in results if item["name"].startswith("gate")}
    assert gate == {"gate: inconclusive": "broken", "gate[results]": "broken"}
    for name in ("gate.json", "summary.md", "comment.md", "metrics.txt"):
        assert not (result.run / name).is_file(), f"{name} would say what the gate's answer is"


@MODES
def test_allure_folder_that_is_gone_costs_the_report_and_a_note(small, mode: tuple[str, ...]) -> None:
    change = "        shutil.rmtree('allure')\n        Path('allure').write_text('a file')\n"
    small.write("conftest.py", LOST + change)
    result = small.pytest("-q", "--alluredir=allure", *mode)
    assert result.status == 0, result.output
    assert "Allure results cannot be written" in result.output
    assert "Traceback" not in result.output


def test_inconclusive_summary_is_told_once(small) -> None:
    """Newer versions of pytest print a summary for status 6 too; CI must not get its page and annotations twice."""
    small.env.update(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(small.path / "step.md"))
    result = small.pytest("-q", "--jmed-judges=demo", model="compatible:x@http://127.0.0.1:9/v1")
    assert result.status == 6, result.output
    assert result.output.count("GATE: ") == 1
    assert (small.path / "step.md").read_text().count("Safety gate: inconclusive") == 1


def test_worker_in_place_of_a_dead_one_keeps_the_allure_results_of_the_others(small) -> None:
    """With --clean-alluredir every process would empty the folder when it starts, also one that starts late."""
    small.write(
        "conftest.py",
        "import os\n\nimport pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_runtest_teardown(item, nextitem):\n"
        "    if nextitem is None and getattr(item.config, 'workerinput', {}).get('workerid') == 'gw0':\n"
        "        os._exit(9)\n",
    )
    (small.path / "allure").mkdir()
    small.write("allure/old-result.json", "{}")
    result = small.pytest("-q", "-n", "2", "--alluredir=allure", "--clean-alluredir")
    assert result.status == 1, result.output
    results = [json.loads(file.read_text()) for file in (small.path / "allure").glob("*-result.json")]
    names = [item["historyId"] for item in results if not item["name"].startswith("gate")]
    assert len(names) == len(set(names)) == 7


@MODES
def test_pass_on_a_part_of_the_selected_cases_says_so_everywhere(small, mode: tuple[str, ...]) -> None:
    """Who leaves out the cases that fail gets a pass on the others; a reader of the comment must see that."""
    result = small.pytest("-q", "--deselect=test_conversations.py::test_conversation[en-case-s1-00]", *mode)
    assert result.status == 0, result.output
    note = "pytest left out 1 of 7 selected evaluations"
    assert note in result.output
    assert note in result.read("run.json")["note"]
    for name in ("summary.md", "comment.md"):
        assert note in (result.run / name).read_text(encoding="utf-8")
    policy = Thresholds(**tomllib.loads(LENIENT_RULES), policy=PolicyTable(critical=("core",)))
    decided = load(result.run, rules=policy).gate
    assert [(item.name, item.answer) for item in decided.conditions if item.answer != "pass"] == [
        ("core:en whole", "inconclusive")
    ]
    whole = small.pytest("-q", *mode)
    assert whole.read("run.json")["note"] == ""
