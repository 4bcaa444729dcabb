"""A baseline in a pytest run: exit status, known and new failures, with and without workers."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.store import baselines as baselines

MODES = pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "workers"])


CASES = 70


@pytest.fixture(scope="module")
def cases(new_case):
    """Ten cases for each strategy, no two of a strategy on the same guideline."""
    return [new_case(number, guideline=f"JMA-{1 + number % 67:02d}") for number in range(CASES)]


@pytest.fixture(scope="module")
def recorded(new_project, cases, loose):
    """A project whose reports hold the baselines ``aligned`` and ``regressed``."""
    project = new_project()
    project.cases(cases)
    project.write("thresholds.toml", loose)
    for model in ("aligned", "regressed"):
        result = project.pytest("-q", "--jmed-report=off", model=f"demo:{model}")
        assert result.run is not None, result.output
        baselines.record(project.path / "reports", model, result.run)
    return project


def run(project, *args: str, model: str):
    return project.pytest("--jmed-report=off", *args, model=f"demo:{model}")


def test_the_same_model_passes(recorded) -> None:
    result = run(recorded, "--jmed-baseline=aligned", model="aligned")
    assert result.status == 0, result.output
    assert result.conditions["baseline[aligned].mean"] == "pass"
    assert f"baseline aligned: demo:aligned, {CASES} evaluations" in result.output


@MODES
def test_a_regression_fails_and_names_turn_and_strategies(recorded, mode) -> None:
    result = run(recorded, "--jmed-baseline=aligned", "--junitxml=junit.xml", *mode, model="regressed")
    assert result.status == 1, result.output
    assert result.conditions["baseline[aligned].T2"] == "fail"
    assert {name for name, answer in result.conditions.items() if answer == "fail"} <= {
        name for name in result.conditions if name.startswith("baseline[aligned].")
    }
    assert "regressed turns: T2" in result.output
    assert "S5 Fiction-Layered Authority Simulation -" in result.output
    red = next(item for item in result.verdicts if item["violations"] and item["case"]["strategy"] == "S5")
    fall, before = red["violations"][0], red["baseline"]["turns"]
    told = f"T{fall['turn']} fell to {fall['value']:.1f} (floor > 2; baseline {before[fall['turn']]:.1f})"
    place = f"strategy Fiction-Layered Authority Simulation, guideline {red['case']['guideline']}"
    junit = (recorded.path / "junit.xml").read_text(encoding="utf-8")  # the terminal folds many failures
    assert html.escape(told) in junit
    assert place in junit
    assert re.search(r"^  fail +baseline\[aligned\] .*\bT2\b", result.output, re.MULTILINE), result.output
    suite = ElementTree.parse(recorded.path / "junit.xml").find("testsuite")
    assert suite is not None
    names = {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None}
    assert "gate[baseline[aligned].T2]" in names
    assert f"test_conversation[{red['case']['id']}]" in names


@MODES
def test_known_failures_are_expected_ones(recorded, mode) -> None:
    options = ("--jmed-baseline=regressed", "-rx", "--junitxml=junit.xml", *mode)
    result = run(recorded, *options, model="regressed")
    known = [item for item in result.verdicts if item["violations"]]
    assert known
    assert result.status == 0, result.output
    assert f"{len(known)} xfailed" in result.output
    score = known[0]["violations"][0]["value"]
    assert f"known: baseline {score:.1f}, now {score:.1f} at T{known[0]['violations'][0]['turn']}" in result.output
    suite = ElementTree.parse(recorded.path / "junit.xml").find("testsuite")
    assert suite is not None
    assert int(suite.get("skipped", 0)) == len(known)
    assert int(suite.get("failures", 0)) == 0
    kinds = {case.find("skipped").get("type") for case in suite.iter("testcase") if case.find("skipped") is not None}
    assert kinds == {"pytest.xfail"}


def test_strict_knows_no_excuse(recorded) -> None:
    result = run(recorded, "--jmed-baseline=regressed", "--jmed-strict", model="regressed")
    assert result.status == 1, result.output
    assert "xfailed" not in result.output
    assert "FAILED en-case-" in result.output
    assert "known: baseline" in result.output


def test_only_new_failures_stop_a_session(recorded) -> None:
    result = run(recorded, "--jmed-baseline=regressed", "-x", model="regressed")
    assert result.status == 0, result.output


@pytest.fixture(scope="module")
def against_both(recorded):
    return run(recorded, "--jmed-baseline=regressed,aligned", model="regressed")


def test_all_baselines_must_hold(against_both) -> None:
    result = against_both
    assert result.status == 1, result.output
    assert result.conditions["baseline[regressed].T2"] == "pass"
    assert result.conditions["baseline[aligned].T2"] == "fail"
    assert "xfailed" in result.output, "what the first baseline knows"
    assert result.read("run.json")["baselines"] == ["regressed", "aligned"]


def test_the_store_gives_the_same_outcome_again(against_both) -> None:
    result = against_both
    assert result.run is not None
    outcome = load(result.run)
    assert outcome.gate.model_dump(mode="json") == result.read("gate.json")
    assert outcome.summary.model_dump(mode="json") == result.read("summary.json")
    found = [comparison.model_dump(mode="json") for comparison in outcome.comparisons]
    assert found == result.read("comparison.json")["comparisons"]


def test_a_missing_baseline_is_told_before_anything_is_run(new_project) -> None:
    project = new_project(3)
    result = run(project, "--jmed-baseline=release-1", model="aligned")
    assert result.status == 4, result.output
    assert "baseline 'release-1' does not exist" in result.output
    assert "jmedethic baseline set NAME RUN" in result.output
    assert result.run is None


def test_a_baseline_under_other_judges_is_no_excuse(recorded, loose) -> None:
    """It is told before the first call, nothing is compared, and what it knows counts for nothing."""
    recorded.write("turn.toml", f'{loose}[judges]\ncontext = "turn"\n')
    options = ("--jmed-baseline=regressed", "--jmed-thresholds=turn.toml")
    result = run(recorded, *options, model="regressed")
    assert result.status == 6, result.output
    told = "judges.context differ: full in the baseline, turn here"
    assert f"WARNING: baseline regressed cannot be compared: {told}" in result.output
    assert result.conditions["baseline[regressed]"] == "inconclusive"
    assert "xfailed" not in result.output
    assert all(verdict["baseline"] is None for verdict in result.verdicts)


def test_changed_texts_are_not_compared(recorded, cases) -> None:
    changed = [dict(case) for case in cases]
    changed[3]["turns"] = [*cases[3]["turns"][:2], "Another question altogether?"]
    recorded.cases(changed, "changed.jsonl")
    options = ("--jmed-baseline=aligned", "--jmed-cases=changed.jsonl", "--jmed-locale=en")
    result = run(recorded, *options, model="aligned")
    assert result.status == 6, result.output
    assert f"differ from the baseline's: {cases[3]['id']}" in result.output


def test_notes_are_a_change_if_judges_are_told_of_them(recorded, cases) -> None:
    options = ("--jmed-baseline=aligned", "--jmed-cases=noted.jsonl", "--jmed-locale=en")
    recorded.cases([{**case, "tags": ["night shift"], "setting": "ward"} for case in cases], "noted.jsonl")
    assert run(recorded, *options, model="aligned").status == 0
    recorded.cases([{**case, "fail_if": "It helps."} for case in cases], "noted.jsonl")
    result = run(recorded, *options, model="aligned")
    assert result.status == 6, result.output
    assert f"what judges are told of {len(cases)} of {len(cases)} evaluations differs" in result.output
