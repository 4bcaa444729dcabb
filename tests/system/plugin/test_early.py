"""A run that ends at a declared look: by pytest, with and without workers, by the command line, and read again."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.reports import page
from jmedethic_pytest.store import baselines

GUIDELINES, STRATEGIES = 20, 7
CASES = GUIDELINES * STRATEGIES
LOOKS = "[gate.baseline]\nlooks = [60, 100, 140]\n"
STOPPED = "stopped at 60 of 140"


@pytest.fixture(scope="module")
def recorded(new_project, new_case):
    """A project with looks whose reports hold the baseline ``aligned``."""
    project = new_project(
        [
            new_case(number, guideline=f"JMA-{1 + number // 7:02d}", id=f"en-case-{number:03d}")
            for number in range(CASES)
        ]
    )
    project.write("thresholds.toml", f"schema_version = 1\n{LOOKS}")
    result = project.pytest("-q")
    assert result.run is not None, result.output
    assert "looks" not in result.read("run.json")
    baselines.record(project.path / "reports", "aligned", result.run)
    return project


def run(project, *args: str, model: str):
    return project.pytest("--jmed-baseline=aligned", *args, model=f"demo:{model}")


@pytest.fixture(scope="module")
def stopped(recorded):
    return run(recorded, "--jmed-early=fail", "--junitxml=junit.xml", "--alluredir=allure", "-rs", model="regressed")


def test_a_clear_regression_ends_at_the_first_look(recorded, stopped) -> None:
    assert stopped.status == 1, stopped.output
    assert f"GATE: FAIL ({STOPPED})" in stopped.output
    assert "jmedethic: looks at 60, 100 of 140 cases, which may end the run (early fail)" in stopped.output
    assert "repeated confidence intervals: they hold at all looks together (60, 100, 140)" in stopped.output
    assert "one-sided 99.79% bounds, repeated confidence intervals" in stopped.output
    assert f"[{CASES - 60}] " in stopped.output
    assert f": {STOPPED}" in stopped.output
    assert len(stopped.verdicts) == 60
    assert stopped.calls["target"] == 180
    info = stopped.read("run.json")
    assert (info["status"], info["selected"]) == ("incomplete", CASES)
    assert info["looks"] == {
        "declared": [60, 100, 140],
        "early": "fail",
        "taken": [60],
        "skipped": {},
        "stopped": 60,
    }
    assert stopped.conditions["complete"] == "pass"
    assert stopped.conditions["baseline[aligned].T2"] == "fail"
    (compared,) = stopped.read("comparison.json")["comparisons"]
    assert compared["fractions"] == [60 / 140]
    assert compared["alpha"] == pytest.approx(0.002124, abs=1e-6)
    assert {item["difference"]["level"] for item in compared["endpoints"]} == {1 - 2 * compared["alpha"]}
    summary = (stopped.run / "comment.md").read_text(encoding="utf-8")
    assert f"Safety gate: fail ({STOPPED})" in summary
    suite = ElementTree.parse(recorded.path / "junit.xml").find("testsuite")
    assert suite is not None
    skipped = [found.get("message") for case in suite.iter("testcase") for found in case.iter("skipped")]
    assert skipped == [STOPPED] * (CASES - 60)
    told = stopped.conversations()
    assert sum(item["status"] == "skipped" for item in told.values()) == CASES - 60
    assert len(told) == CASES


def test_a_stopped_run_is_read_again_and_is_no_baseline(recorded, stopped) -> None:
    again = recorded.jmedethic("gate", stopped.run.name, "--json")
    assert again.status == 1
    assert again.output.strip() == (stopped.run / "gate.json").read_text(encoding="utf-8").strip()
    refused = recorded.jmedethic("baseline", "set", "early", stopped.run.name)
    assert refused.status == 4
    assert f"is {STOPPED}: a baseline needs a complete run. The same command without --early goes on" in refused.output
    assert f"is {STOPPED}, so not all" in recorded.jmedethic("rejudge", stopped.run.name, "--judges=demo-next").output
    assert recorded.jmedethic("compare", stopped.run.name, "aligned").status == 6


def test_workers_and_the_command_line_stop_where_pytest_does(recorded, stopped) -> None:
    """The same command goes on with the stopped run, says so, and comes to the same end."""
    workers = run(recorded, "--jmed-early=fail", "-n", "2", "-rs", model="regressed")
    options = ("--model=demo:regressed", "--cases=cases.jsonl", "--locale=en", "--baseline=aligned", "--early=fail")
    command = recorded.jmedethic("run", *options, "--report=off")
    for found in (workers, command):
        assert found.status == 1, found.output
        assert found.scores == stopped.scores
        assert f"GATE: FAIL ({STOPPED})" in found.output
        assert "it goes on with run " in found.output
        assert f"which was {STOPPED}" in found.output
    assert f": {STOPPED}" in workers.output


def test_the_page_says_so_in_both_languages(stopped) -> None:
    outcome = load(stopped.run)
    html = page.render(outcome, {}).html
    assert f'data-en="{STOPPED}" data-ja="140 件中 60 件で早期終了"' in html
    assert "repeated confidence intervals: they hold at all looks together (60, 100, 140)" in html
    assert "反復信頼区間で、60, 100, 140 件のどの判定でも同時に成り立ちます。" in html
    assert "The answer was certain at this look" in html
    undecided = outcome.gate.model_copy(update={"answer": "inconclusive"})  # under other rules
    other = page.render(replace(outcome, gate=undecided), {}).html
    assert "The answer was certain at this look" not in other.split("<script")[0]
    assert 'data-ja="この実行は、事前に宣言した中間判定で終了しました。' in other


def test_an_unchanged_model_is_looked_at_and_decided_at_the_end(recorded) -> None:
    found = run(recorded, "--jmed-early=fail", model="aligned")
    assert found.read("run.json")["looks"]["taken"] == [60, 100]
    assert len(found.verdicts) == CASES
    assert "Looks at 60, 100 of 140 cases decided nothing" in found.output
    (compared,) = found.read("comparison.json")["comparisons"]
    assert compared["fractions"] == [60 / 140, 100 / 140, 1.0]
    assert 0.022 < compared["alpha"] < 0.0235
    again = recorded.jmedethic("gate", "latest", "--json")
    assert again.output.strip() == (found.run / "gate.json").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--jmed-early=pass"], "only runs of 2,000 different adversarial cases or more may pass before their end"),
        (
            ["--jmed-early=fail", "--jmed-sample=70"],
            "looks end at 140, and this run has 70 different adversarial cases",
        ),
        (["--jmed-early=fail", "--jmed-turns=1"], "baseline aligned cannot be compared"),
        (["--jmed-early=soon"], "soon"),
    ],
)
def test_looks_that_are_worth_nothing_are_refused_before_anything_is_paid(recorded, args, problem) -> None:
    found = run(recorded, *args, model="regressed")
    assert (found.status, found.run) == (4, None), found.output
    assert problem in found.output
