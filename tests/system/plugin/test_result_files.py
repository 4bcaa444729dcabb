"""Files for other tools: JUnit XML and Allure results."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

MODES = pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])
SECRET = "<script>alert('question')</script>"


def test_junit_has_gate_conditions_and_no_text_of_a_model(new_project) -> None:
    project = new_project(14)
    result = project.pytest("-q", "-n", "2", "--junitxml=junit.xml", model="demo:eroding")
    text = (project.path / "junit.xml").read_text(encoding="utf-8")
    suite = ElementTree.fromstring(text).find("testsuite")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    gates = {f"gate[{name}]": answer for name, answer in result.conditions.items()}
    assert len(cases) == int(suite.get("tests")) == 14 + len(gates)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert {name for name in gates if name in failed} == {name for name, answer in gates.items() if answer != "pass"}
    below = {f"test_conversation[{verdict['case']['id']}]" for verdict in result.verdicts if verdict["violations"]}
    assert failed == below | {name for name, answer in gates.items() if answer != "pass"}
    assert int(suite.get("failures")) == len(failed)
    assert "mean score of T2" in cases["gate[mean[T2]]"].find("failure").get("message")
    assert "simulated reply" not in text
    assert "Question " not in text


@pytest.fixture(scope="module")
def mixed(new_project, new_case) -> Any:
    """Some cases pass, some fall below their floor, and those of two strategies have no score."""
    project = new_project()
    cases = [new_case(number) for number in range(42)]
    cases[0]["turns"][1] = SECRET
    project.cases(cases)
    project.write("thresholds.toml", "schema_version = 1\n[gate]\npass_rate = 1.0\n")  # failed for certain
    project.pytest("-q", "-k", "s1 or s2 or s3 or s4 or s5", model="demo:eroding")
    return project


@pytest.fixture
def mixed_project(mixed) -> Any:
    """That project with what another run has left in its folder of Allure results."""
    (mixed.path / "allure").mkdir(exist_ok=True)
    mixed.write("allure/stale-result.json", '{"name": "stale"}')
    return mixed


def _results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*-result.json"))]


def _case_id(item: dict[str, Any]) -> str:
    match = re.search(r"en-case-s\d-\d\d", item["name"])
    return match[0] if match else item["name"]


def _attachments(record: dict[str, Any]) -> list[dict[str, Any]]:
    inner = record.get("steps", []) + record.get("befores", [])
    return record.get("attachments", []) + [item for step in inner for item in _attachments(step)]


@MODES
def test_allure_describes_every_case_and_the_gate(mixed_project, mode: tuple[str, ...]) -> None:
    options = ("--jmed-cache=only", "--alluredir=allure", "--clean-alluredir")
    result = mixed_project.pytest("-q", *options, *mode, model="demo:eroding")
    folder = mixed_project.path / "allure"
    found = _results(folder)
    gates = {item["name"]: item for item in found if item["fullName"].startswith("jmedethic::gate")}
    assert gates.pop("gate: fail")["status"] == "failed"
    tests = {_case_id(item): item for item in found if not item["fullName"].startswith("jmedethic::gate")}
    verdicts = {verdict["case"]["id"]: verdict for verdict in result.verdicts}
    assert set(tests) == set(verdicts), "each case once, what stood in the folder before is gone"
    assert len(found) - 1 == len(tests) + len(gates) == 42 + len(result.conditions)
    assert len({item["historyId"] for item in found}) == len(found)

    status = {"pass": "passed", "fail": "failed", "inconclusive": "broken"}
    assert {name: item["status"] for name, item in gates.items()} == {
        f"gate[{name}]": status[answer] for name, answer in result.conditions.items()
    }
    expected = {
        case_id: "failed" if verdict["violations"] else "passed" if verdict["status"] == "scored" else "broken"
        for case_id, verdict in verdicts.items()
    }
    assert {name: item["status"] for name, item in tests.items()} == expected
    assert set(expected.values()) == {"passed", "failed", "broken"}

    containers = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*-container.json")]
    for case_id, item in tests.items():
        _check_labels(item, verdicts[case_id])
        attached = _attachments(item)
        for container in containers:
            if item["uuid"] in container.get("children", []):
                attached += _attachments(container)
        assert Counter(file["type"] for file in attached) == {"text/html": 1, "application/json": 1}
        files = {file["type"]: (folder / file["source"]).read_text(encoding="utf-8") for file in attached}
        assert json.loads(files["application/json"]) == verdicts[case_id]
        assert SECRET not in files["text/html"], "the transcript must show text, not run it"
        if expected[case_id] != "broken":
            _check_steps(item, verdicts[case_id])


def _check_labels(item: dict[str, Any], verdict: dict[str, Any]) -> None:
    labels = {label["name"]: label["value"] for label in item["labels"]}
    assert labels["epic"] == "English (en)"
    assert labels["feature"].startswith(verdict["case"]["guideline"] + " ")
    assert labels["story"].startswith(verdict["case"]["strategy"] + " ")
    assert {"simulation"} <= {label["value"] for label in item["labels"] if label["name"] == "tag"}


def _check_steps(item: dict[str, Any], verdict: dict[str, Any]) -> None:
    """One step for each turn with its score, in it the user, the reply, and each judge with its reason."""
    floors = {item["turn"]: item["floor"] for item in verdict["violations"]}
    for step, turn in zip(item["steps"], verdict["turns"], strict=True):
        index = turn["index"]
        floor = f" (floor > {floors[index]:g})" if index in floors else ""
        assert step["name"] == f"T{index}: {turn['value']:.1f}{floor}"
        assert step["status"] == ("failed" if floor else "passed")
        judged = [f"T{index} {score['judge']}: {score['value']:g}: {score['rationale']}" for score in turn["scores"]]
        said = [f"T{index} user: {turn['user']}", f"T{index} reply: {turn['reply']['text']}"]
        assert [inner["name"] for inner in step["steps"]] == said + judged
