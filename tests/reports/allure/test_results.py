"""Allure results: the same ids from run to run, model to model and from stored runs; nothing lost, whatever happens."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cli.main import main
from jmedethic_pytest.data import load
from jmedethic_pytest.reports.allure import stored
from jmedethic_pytest.reports.allure.labels import CONVERSATIONS
from support.golden import GOLDEN
from support.project import Project

OPTIONS = (
    "--jmed-cases=cases.jsonl",
    "--jmed-locale=en",
    "--jmed-suite=all",
    "--jmed-report=off",
    "--alluredir=allure",
    "-q",
    "--tb=no",
)
CASES = 14


def by_history(run: Any, name: str = "allure") -> dict[str, dict[str, Any]]:
    found = run.allure(name)
    results = {item["historyId"]: item for item in found}
    assert len(results) == len(found), "two results with one history: one hides the other"
    return results


def labels(result: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in result["labels"] if item["name"] != "tag"}


def tags(result: dict[str, Any]) -> set[str]:
    return {item["value"] for item in result["labels"] if item["name"] == "tag"}


@pytest.fixture(scope="module")
def aligned(once: Callable[..., Any], new_project: Any, new_case: Any) -> Any:
    """In one process, every conversation twice."""
    more = {12: {"twin_of": "case-s1-00"}, 13: {"persona": "nurse", "tags": ["unit-test"]}}
    options = ("--jmed-repeats=2", "--alluredir=aligned", "--jmed-allure=failures")

    def make() -> Any:
        project = new_project([new_case(number, **more.get(number, {})) for number in range(CASES)])
        run = project.pytest(*OPTIONS, *options)
        base = project.jmedethic("baseline", "set", "release", "latest")
        assert base.status == 0, base.output
        return run

    return once("aligned", make)


@pytest.fixture(scope="module")
def regressed(once: Callable[..., Any], aligned: Any) -> Any:
    """With workers, another model, and results of before in the folder."""
    options = ("--jmed-repeats=2", "--jmed-baseline=release", "-n", "2", "--clean-alluredir")

    def make() -> Any:
        (aligned.path / "allure").mkdir()
        (aligned.path / "allure" / "old-result.json").write_text('{"name": "old", "historyId": "old"}')
        return Project(aligned.path, model="demo:regressed").pytest(*OPTIONS, *options)

    return once("regressed", make)


def test_ids_do_not_depend_on_model_scores_or_workers(aligned: Any, regressed: Any) -> None:
    one, two = by_history(aligned, "aligned"), by_history(regressed)
    conversations = {key for key, item in two.items() if not item["name"].startswith("gate")}
    assert len(conversations) == 2 * CASES
    assert conversations <= set(one)
    for key in set(one) & set(two):
        assert one[key]["name"] == two[key]["name"]
        assert one[key]["testCaseId"] == two[key]["testCaseId"]
    assert len({two[key]["testCaseId"] for key in conversations}) == CASES, "repetitions are one test case"


def test_every_case_has_its_result_but_only_failures_are_told(aligned: Any, regressed: Any) -> None:
    told = {item["status"] for item in aligned.conversations("aligned").values() if item.get("attachments")}
    assert "passed" in {item["status"] for item in aligned.conversations("aligned").values()}
    assert "passed" not in told
    assert all(item["steps"] and item["attachments"] for item in regressed.conversations().values())


def test_model_is_a_parameter_outside_the_history(regressed: Any) -> None:
    for item in regressed.conversations().values():
        given = {entry["name"]: entry for entry in item["parameters"]}
        assert given["model"] == {"name": "model", "value": "demo:regressed", "excluded": True}
        assert given["case"]["value"] == item["name"].partition("~")[0]
        assert not given["case"].get("excluded")


def test_stored_run_gives_the_same_results(regressed: Any, tmp_path: Path) -> None:
    count, notes = stored.write(regressed.run, tmp_path, mode="auto")
    assert (count, notes) == (2 * CASES, [])
    live = by_history(regressed)
    again = {item["historyId"]: item for item in map(_read, tmp_path.glob("*-result.json"))}
    assert set(again) == set(live)
    for key, item in live.items():
        assert _content(regressed.path / "allure", item) == _content(tmp_path, again[key])
    for name in ("categories.json", "environment.properties", "allurerc.json"):
        assert (tmp_path / name).read_text() == (regressed.path / "allure" / name).read_text()


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def _content(folder: Path, item: dict[str, Any]) -> Any:
    """Return what a reader sees of a result: not the process, the moment or the names of files."""

    def steps(found: list[dict[str, Any]]) -> list[Any]:
        return [(step["name"], step["status"], steps(step.get("steps", []))) for step in found]

    process = {"host", "thread", "language", "package"}
    given = sorted((entry["name"], entry["value"]) for entry in item["labels"] if entry["name"] not in process)
    attached = [(entry["name"], (folder / entry["source"]).read_bytes()) for entry in item.get("attachments", [])]
    same = (
        "name",
        "fullName",
        "testCaseId",
        "status",
        "statusDetails",
        "description",
        "parameters",
        "links",
        "titlePath",
    )
    return [item.get(field) for field in same], given, steps(item.get("steps", [])), attached


def test_labels_tell_language_guideline_strategy_and_severity(regressed: Any) -> None:
    found = regressed.conversations()
    given = labels(found["en-case-s1-00"])
    assert given["epic"] == given["parentSuite"] == "English (en)"
    assert given["feature"] == given["suite"] == "JMA-01 Professional ethics and self-regulation"
    assert given["story"] == given["subSuite"] == "S1 Gray-Zone Ethnographic Simulation"
    assert given["category"] == "A Fundamental duties of physicians"
    assert "owner" not in given
    assert tags(found["en-case-s6-12"]) >= {"twin", "simulation"}
    assert tags(found["en-case-s7-13"]) >= {"nurse", "unit-test"}
    assert {labels(item)["severity"] for item in found.values() if item["status"] == "failed"} == {"critical"}
    for item in found.values():
        counts = Counter(entry["name"] for entry in item["labels"] if entry["name"] != "tag")
        assert not [name for name, count in counts.items() if count > 1]


def test_failures_and_known_failures_are_one_line_each(regressed: Any) -> None:
    fell = r"(?:T\d fell to \d\.\d \(floor > 2; baseline \d+\.\d\), )+strategy [\w -]+, guideline JMA-\d\d"
    known = r"known: baseline \d\.\d(?: at T\d)?, now \d\.\d at T\d \(floor > 2\); strategy [\w -]+, guideline JMA-\d\d"
    found = list(regressed.conversations().values())
    failed = [item for item in found if item["status"] == "failed"]
    assert failed
    assert all(re.fullmatch(fell, item["statusDetails"]["message"]) for item in failed)
    assert not any("trace" in item["statusDetails"] for item in failed)
    for item in found:
        if item["status"] == "skipped":
            assert item["statusDetails"]["known"] is True
            assert re.fullmatch(known, item["statusDetails"]["message"])
            assert labels(item)["severity"] == "minor"
    assert all(item["statusDetails"]["known"] for item in found if item["status"] == "skipped")


def test_old_results_are_gone_and_plugins_fixtures_leave_no_files(regressed: Any) -> None:
    assert "old" not in {item["name"] for item in regressed.allure()}
    assert list((regressed.path / "allure").glob("*-container.json")) == []


def test_gate_is_a_result_with_the_runs_files_and_each_condition_is_one(regressed: Any) -> None:
    gate = _read(regressed.run / "gate.json")
    found = {item["name"]: item for item in regressed.allure() if item["name"].startswith("gate")}
    status = {"pass": "passed", "fail": "failed", "inconclusive": "broken"}
    starts = {item["name"]: item["start"] for item in regressed.allure()}
    answer = f"gate: {gate['answer']}"
    assert min(starts, key=starts.__getitem__) == answer, "a report begins with what stands first in time"
    assert found.pop(answer)["status"] == status[gate["answer"]]
    assert {name: item["status"] for name, item in found.items()} == {
        f"gate[{item['name']}]": status[item["answer"]] for item in gate["conditions"]
    }
    assert {labels(item)["epic"] for item in found.values()} == {"Gate"}
    (globals_,) = map(_read, (regressed.path / "allure").glob("*-globals.json"))
    assert {"summary.md", "gate.json"} <= {item["name"] for item in globals_["attachments"]}
    assert all((regressed.path / "allure" / item["source"]).is_file() for item in globals_["attachments"])
    assert globals_["errors"][0]["message"].startswith(f"{answer}: ")
    assert len(globals_["errors"]) == 1 + sum(item["answer"] != "pass" for item in gate["conditions"])


def test_environment_names_what_was_run(regressed: Any) -> None:
    text = (regressed.path / "allure" / "environment.properties").read_text()
    found = dict(line.split("=", 1) for line in text.splitlines())
    info = _read(regressed.run / "run.json")
    assert found["model"] == "demo:regressed"
    assert found["judge_1"] == "demo:judge-strict"
    assert info["digests"]["prompts"].startswith(found["prompts_digest"])
    assert info["digests"]["cases"].startswith(found["cases_digest"])
    assert (found["seed"], found["repeats"], found["baselines"]) == ("0", "2", "release")
    assert found["version"] == info["tool_version"]


@pytest.mark.parametrize("search", [re.fullmatch, re.search], ids=["allure2", "allure3"])
def test_every_red_result_is_in_one_category(regressed: Any, search: Callable[..., Any]) -> None:
    categories = load("allure.toml")["categories"]
    for item in regressed.allure():
        if item["status"] != "passed":
            message = item["statusDetails"]["message"]
            fitting = [
                category["name"]
                for category in categories
                if item["status"] in category["matchedStatuses"] and search(category["messageRegex"], message)
            ]
            wanted = {"failed": "Safety regression", "skipped": "Known failure"}.get(item["status"])
            if wanted == "Safety regression" and "twin" in tags(item):
                wanted = "Benign twin failed"
                assert labels(item)["epic"] == labels(item)["parentSuite"] == "Benign twins: English (en)"
            wanted = "Gate condition not met" if item["name"].startswith("gate[") else wanted
            wanted = "Gate of the run" if item["name"].startswith("gate:") else wanted
            assert fitting == [wanted], message


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("en-a: no complete score (judge_unparsable): T1: j: nothing", "Judge trouble"),
        ("en-a: no complete score (target_truncated): T1: cut", "Target gave no usable reply"),
        ("en-a: no complete score (transport_error): T0: HTTP 500", "Transport"),
        ("jmedethic_pytest.core.errors.RunAborted: a judge cannot be used: HTTP 401", "Transport"),
        ("the test was not run: the budget of 5 calls would be exceeded", "Budget"),
        ("worker 'gw0' crashed while running 'test_conversations.py::test_conversation[en-a]'", "Not run"),
    ],
)
def test_trouble_has_a_category_of_its_own(message: str, name: str) -> None:
    categories = load("allure.toml")["categories"]
    for search in (re.fullmatch, re.search):
        fitting = [item["name"] for item in categories if search(item["messageRegex"], message)]
        assert fitting[0] == name


def test_crashed_worker_leaves_a_broken_result(new_project: Callable[..., Path], new_case: Callable[..., Any]) -> None:
    """The test of one case kills its worker; a test of the user's own keeps what it says of itself."""
    project = new_project([new_case(number) for number in range(6)])
    project.write(
        "test_conversations.py",
        "import os, signal\nimport allure\n\n\ndef test_conversation(verdict):\n"
        "    if verdict.case.id == 'en-case-s3-02':\n        os.kill(os.getpid(), signal.SIGKILL)\n\n\n"
        "@allure.feature('Mine')\n@allure.severity('trivial')\n"
        "def test_mine(verdict):\n    '''What I check.'''\n    assert verdict.turn_scores[0] > 99, 'my own words'\n",
    )
    done = project.pytest(*OPTIONS, "-n", "2")
    found = done.allure()
    crashed = [item for item in found if item["status"] == "broken" and not item["name"].startswith("gate")]
    assert [item["name"] for item in crashed] == ["en-case-s3-02"]
    assert "crashed while running" in crashed[0]["statusDetails"]["message"]
    assert labels(crashed[0])["story"].startswith("S3 ")
    standard = [item for item in found if item["fullName"].endswith("#test_conversation")]
    assert len(standard) == 6
    assert len({item["historyId"] for item in found}) == len(found)
    mine = [item for item in found if item["fullName"] == "test_conversations#test_mine"]
    assert len(mine) == 6
    for item in mine:
        assert "my own words" in item["statusDetails"]["message"]
        assert item["description"].endswith("What I check.")
        assert (labels(item)["feature"], labels(item)["severity"]) == ("Mine", "trivial")
        assert labels(item)["story"].startswith("S")


def test_tests_the_budget_did_not_reach_are_skipped_not_lost(
    new_project: Callable[..., Path], new_case: Callable[..., Any]
) -> None:
    project = new_project([new_case(number) for number in range(8)])
    done = project.pytest(*OPTIONS, f"--jmed-budget={2 * GOLDEN + 30}calls", "--jmed-concurrency=1")
    assert done.status == 7, done.output
    found = done.conversations()
    assert len(found) == 8
    counts = Counter(item["status"] for item in found.values())
    assert counts["passed"] == 3
    assert counts["skipped"] >= 4
    for item in found.values():
        if item["status"] != "passed":
            assert f"budget of {2 * GOLDEN + 30} calls" in item["statusDetails"]["message"]


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])
def test_test_that_was_cut_short_or_skipped_is_still_the_result_of_its_case(
    new_project: Callable[..., Path],
    new_case: Callable[..., Any],
    mode: tuple[str, ...],
) -> None:
    """A test that was given no verdict must not stand beside its case as a second one that nobody knows."""
    project = new_project([new_case(number) for number in range(8)])
    project.write(
        "conftest.py",
        "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n"
        "    items[0].add_marker(pytest.mark.skip(reason='not today'))\n",
    )
    done = project.pytest(*OPTIONS, *mode, f"--jmed-budget={2 * GOLDEN + 30}calls", "--jmed-concurrency=1")
    files = [json.loads(file.read_text()) for file in (project.path / "allure").glob("*-result.json")]
    cases = [item for item in files if not item["name"].startswith("gate")]
    assert {item["name"] for item in cases} == {new_case(number)["id"] for number in range(8)}
    assert len({item["historyId"] for item in cases}) == 8, done.output
    assert {item["fullName"] for item in cases} == {CONVERSATIONS}


def test_command_writes_a_stored_run(
    regressed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that holds results already is not mixed with others; cleaning removes Allure's files alone."""

    def call(*args: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["jmedethic", "allure", "latest", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        text = capsys.readouterr()
        return int(ended.value.code or 0), text.out + text.err

    monkeypatch.chdir(regressed.path)
    output = tmp_path / "results"
    assert call(f"--output={output}", "--allure=failures", "--link-pattern=https://docs.example/g#{}")[0] == 0
    (output / "keep.txt").write_text("mine")
    results = [_read(file) for file in output.glob("*-result.json")]
    told = {item["status"] for item in results if item.get("steps")}
    assert told == {"failed", "skipped"} & {item["status"] for item in results}
    urls = {item["url"] for result in results for item in result.get("links", [])}
    assert "https://docs.example/g#jma-01" in urls
    status, text = call(f"--output={output}")
    assert status == 4
    assert "already holds" in text
    assert "--clean" in text
    assert call(f"--output={output}", "--clean")[0] == 0
    assert len(list(output.glob("*-result.json"))) == len(results)
    assert (output / "keep.txt").read_text() == "mine"
    assert call(f"--output={output}", "--allure=some")[0] == 4
