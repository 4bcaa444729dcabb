"""One run in every artefact: what failed has the same number everywhere, and the terminal ends with the gate."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.analysis.counts import FAILED, Counts
from jmedethic_pytest.reports import counted
from jmedethic_pytest.reports.page import rows
from support.project import Result

KEPT = "s1 or s2 or s3 or s4 or s5 or twin-0 or twin-1 or twin-2 or twin-3"


@pytest.fixture
def mixed(project, new_case) -> Any:
    """Conversations and twins that pass and fail, and some of both that have no score."""
    twins = [new_case(n, suites=["mixed"], twin_of=f"case-{n}", id=f"en-twin-{n}") for n in range(6)]
    cases = [new_case(number, suites=["mixed"]) for number in range(42)]
    project.cases([*cases, *twins])
    project.write("thresholds.toml", "schema_version = 1\n[gate]\npass_rate = 1.0\n")  # failed for certain
    project.pytest("-q", "-k", KEPT, "--jmed-suite=mixed", model="demo:eroding")
    return project


def test_every_artefact_has_the_same_numbers(mixed: Any) -> None:
    options = (
        "--jmed-suite=mixed",
        "--jmed-cache=only",
        "--alluredir=allure",
        "--clean-alluredir",
        "--junitxml=junit.xml",
    )
    result = mixed.pytest("-n", "2", *options, model="demo:eroding")
    assert result.status == 1, result.output
    counts = Counts.model_validate(result.read("summary.json")["counts"])
    summary = result.read("summary.json")
    _the_verdicts(result, counts)
    assert summary["pass_rate"] == counts.conversations.passed / counts.conversations.total < 1
    assert (summary["failed"], summary["failed_twins"]) == (counts.conversations.failed, counts.twins.failed)
    condition = next(item for item in result.read("gate.json")["conditions"] if item["name"] == "pass_rate")
    assert condition["observed"] == pytest.approx(summary["pass_rate"])
    _the_texts(result, counts)
    _the_page(result, counts)
    _junit(result, counts)
    _allure(result, counts)
    _the_terminal(result, counts)


def _the_verdicts(result: Result, counts: Counts) -> None:
    found = Counter(
        ("twin" if item["case"]["twin_of"] else "attack", bool(item["violations"])) for item in result.verdicts
    )
    assert found["attack", True] == counts.conversations.failed > 10
    assert found["twin", True] == counts.twins.failed > 0
    assert counts.conversations.undecided > 0
    assert (counts.conversations.total, counts.twins.total) == (42, 6)
    answers = Counter(result.conditions.values())
    found_conditions = (counts.conditions.passed, counts.conditions.failed, counts.conditions.inconclusive)
    assert found_conditions == (answers["pass"], answers["fail"], answers["inconclusive"])


def _the_texts(result: Result, counts: Counts) -> None:
    assert result.run is not None
    assert counted.line(counts) in (result.run / "summary.md").read_text(encoding="utf-8")
    assert counted.line(counts) in result.output
    metrics = (result.run / "metrics.txt").read_text(encoding="utf-8")
    for name, value in {
        "cases_failed": counts.conversations.failed,
        "cases_undecided": counts.conversations.undecided,
        "twins_failed": counts.twins.failed,
        "gate_conditions_failed": counts.conditions.failed,
        "gate_conditions_inconclusive": counts.conditions.inconclusive,
    }.items():
        assert f"jmedethic_{name} {value}\n" in metrics


def _the_page(result: Result, counts: Counts) -> None:
    """What the filters of the page choose from."""
    assert result.run is not None
    listed = [item.row for item in rows.collect(result.run)]
    assert sum(row.result in FAILED and not row.twin for row in listed) == counts.conversations.failed
    assert sum(row.result in FAILED and row.twin for row in listed) == counts.twins.failed


def _junit(result: Result, counts: Counts) -> None:
    suite = ElementTree.parse(result.path / "junit.xml").find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", 0)) == counts.reported()
    assert int(suite.get("errors", 0)) == counts.conversations.undecided + counts.twins.undecided
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert properties == {f"failed {name}": text for name, text in counted.failed(counts).items()}


def _allure(result: Result, counts: Counts) -> None:
    found = result.allure()
    gate = [item for item in found if item["fullName"].startswith("jmedethic::gate")]
    tests = Counter(item["status"] for item in found if item not in gate)
    red = counts.conversations.red() + counts.twins.red()
    assert tests["failed"] == red
    assert tests["broken"] == counts.conversations.undecided + counts.twins.undecided
    conditions = Counter(item["status"] for item in gate if item["fullName"] != "jmedethic::gate")
    assert (conditions["failed"], conditions["broken"]) == (counts.conditions.failed, counts.conditions.inconclusive)
    told = (result.path / "allure" / "environment.properties").read_text(encoding="utf-8")
    assert f"failed_conversations={counted.failed(counts)['conversations']}\n" in told


def _the_terminal(result: Result, counts: Counts) -> None:
    lines = result.output.rstrip().splitlines()
    assert re.search(rf" {counts.reported()} failed, \d+ passed, \d+ errors in ", lines[-1]), lines[-1]
    told = f"pytest counts {counts.reported()} failed: {counts.conversations.red()} conversations"
    assert any(line.startswith(told) for line in lines[-25:])
    answer = lines.index("GATE: FAIL")
    assert len(lines) - answer <= 25, result.output
    for name, given in result.conditions.items():
        assert (given != "pass") == any(re.match(rf"  {given} +{re.escape(name)} ", line) for line in lines[answer:])
    shown = [line for line in lines if line.startswith("FAILED ")]
    assert len(shown) < 10
    assert all(
        re.match(r"FAILED (en-\S+: T\d fell to [\d.]+ \(floor > 2\)|\.\.\. and \d+ more )", line) for line in shown
    )
    assert "short test summary" not in result.output
    assert "= FAILURES =" not in result.output
    twice = [
        line for line, times in Counter(filter(None, lines)).items() if times > 1 and not re.fullmatch(r"\W*", line)
    ]
    assert twice == []


@pytest.mark.parametrize("mode", [(), ("-n", "1")], ids=["plain", "worker"])
def test_tests_that_wait_for_a_model_say_so(project: Any, mode: tuple[str, ...]) -> None:
    result = project.pytest(*mode, model=None)
    assert result.status == 5
    assert result.output.count("all tests here ask a model, and none was named: add --model=PROVIDER:NAME") == 1


def test_tests_that_wait_for_a_model_say_so_in_the_language_asked_for(project: Any) -> None:
    assert "モデルの指定がありません" in project.pytest("--jmed-lang=ja", model=None).output
    refused = project.pytest("--jmed-lang=fr", model=None)
    assert (refused.status, "--jmed-lang: unknown value 'fr'" in refused.output) == (4, True)
