"""The parts of an Allure report by themselves: size policy, executor, properties, guideline page, publishing."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from allure_commons import model2
from allure_commons.logger import AllureFileLogger
from allure_commons.types import LabelType, Severity

from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import BaselineScores, Case, Reply, Score, Turn, Verdict, Violation, plan_key
from jmedethic_pytest.reports import transcript
from jmedethic_pytest.reports.allure import content, labels, live, overall, policy, published, written


def build(number: int = 0, score: float = 9.0, **changes) -> Verdict:
    case = Case(
        id=f"en-case-{number:04d}", locale="en", guideline="JMA-19", strategy=f"S{1 + number % 7}", turns=("Q?",)
    )
    given = Score(judge="j:a", value=score, rationale="because")
    turn = Turn(index=0, user="Q?", reply=Reply(text="A."), scores=(given, given), value=score)
    low = (Violation(turn=0, value=score, floor=2.0, rule="conversation.floor"),) if score <= 2 else ()
    made = {"case": case, "status": "scored", "turns": (turn,), "planned_turns": 1, "violations": low, **changes}
    return Verdict(**made)


def plan(count: int) -> dict[str, Case]:
    return {plan_key(case.id, 0): case for case in (build(number).case for number in range(count))}


@pytest.mark.parametrize(
    ("mode", "count", "everything", "shown"),
    [
        ("auto", 2_000, True, 0),
        ("auto", 2_001, False, 35),
        ("all", 2_001, True, 0),
        ("failures", 20, False, 0),
        ("sample", 70, False, 35),
        ("sample", 14, False, 14),
    ],
)
def test_policy_counts_cases(mode: str, count: int, everything: bool, shown: int) -> None:
    telling = policy.decide(mode, "m", plan(count))
    assert (telling.everything, len(telling.shown)) == (everything, shown)
    assert policy.Telling.of(telling.plain()) == telling


def test_sample_takes_the_same_of_every_strategy_in_every_run() -> None:
    jobs = plan(210)
    shown = policy.decide("sample", "m", jobs).shown
    assert shown == policy.decide("sample", "other", dict(reversed(jobs.items()))).shown or set(shown) == set(
        policy.decide("sample", "other", dict(reversed(jobs.items()))).shown
    )
    strategies = [jobs[key].strategy for key in shown]
    assert {strategies.count(strategy) for strategy in vocabulary.strategies()} == {policy.PASSING}


def test_failures_and_trouble_are_always_told() -> None:
    telling = policy.decide("failures", "m", plan(3))
    assert telling.in_full(build(score=1.0))
    assert telling.in_full(build(status="transport_error", turns=(), detail="x"))
    assert not telling.in_full(build())


@pytest.mark.parametrize(
    ("verdict", "status", "severity"),
    [
        (build(), "passed", "trivial"),
        (build(score=3.0), "passed", "normal"),
        (build(score=1.0), "failed", "critical"),
        (build(score=1.0, baseline=BaselineScores(name="r", turns=(1.0,), failed=True)), "skipped", "minor"),
        (build(score=1.0, baseline=BaselineScores(name="r", turns=(9.0,), failed=False)), "failed", "critical"),
        (build(status="judge_refused", turns=(), detail="x"), "broken", "normal"),
        (build(status="skipped_budget", turns=(), detail="the budget"), "skipped", "normal"),
        (build(score=1.0, confirmed=False), "passed", "normal"),
    ],
)
def test_status_and_severity_follow_the_verdict(verdict: Verdict, status: str, severity: str) -> None:
    assert labels.status(verdict) == status
    assert labels.severity(verdict) == severity
    assert (labels.message(verdict) is None) == (status == "passed")


def test_a_judges_low_score_has_no_green_tick_even_if_the_panels_mean_holds() -> None:
    made = build()
    scores = (
        Score(judge="j:a", value=1.0),
        Score(judge="j:b", value=10.0),
        Score(judge="j:c", value=None, status="refused"),
    )
    made = made.model_copy(update={"turns": (made.turns[0].model_copy(update={"scores": scores, "value": 5.5}),)})
    for floor, expected in ((2.0, "passed"), (6.0, "failed")):
        telling = policy.decide("all", "m", {}, {"floor": floor})
        assert policy.Telling.of(telling.plain()) == telling
        (step,) = content.steps(made, telling.floor_of)
        assert step.status == expected
        assert [inner.status for inner in step.steps[2:]] == ["failed", "passed", "broken"]
    assert policy.Telling("m", everything=True).floor_of("S1", 0) == 2.0


def test_steps_of_plugins_fixtures_are_left_out_and_the_users_own_stay() -> None:
    written: list[Any] = []
    original: Any = SimpleNamespace(report_container=written.append)
    recorder = live.Recorder(original, cast(Any, None), {"pytest_asyncio", "_pytest"})
    for name, module in {
        "event_loop_policy": "pytest_asyncio.plugin",
        "tmp_path": "_pytest.tmpdir",
        "db": "conftest",
    }.items():
        recorder.note_fixture(name, module)

    def container(*names: str) -> Any:
        items = [SimpleNamespace(name=name) for name in names]
        return SimpleNamespace(befores=items, afters=[SimpleNamespace(name=f"{name}::end") for name in names])

    recorder.report_container(container("event_loop_policy", "tmp_path"))
    recorder.report_container(container("event_loop_policy", "db"))
    (kept,) = written
    assert [item.name for item in (*kept.befores, *kept.afters)] == ["db", "db::end"]
    recorder.note_fixture("event_loop_policy", "tests.conftest")  # the user's own, in the plugin's place
    recorder.report_container(container("event_loop_policy"))
    assert len(written) == 2


def test_ids_know_the_benchmarks_test_wherever_it_was_collected() -> None:
    names = [
        "benchmark_cases.test_conversations#test_conversation",
        "test_conversations#test_conversation",
        "jmedethic_pytest.benchmark_cases.test_conversations#test_conversation",
    ]
    assert len({labels.ids("en-a", full_name=name) for name in names}) == 1
    assert labels.full_name("a/test_b.py::C::test_d[x-1]") == "a.test_b.C#test_d"
    assert labels.ids("en-a", 1).test_case == labels.ids("en-a").test_case
    assert labels.ids("en-a", 1).history != labels.ids("en-a").history
    assert labels.ids("en-a", extra=("x=1",)).history != labels.ids("en-a", extra=("x=2",)).history


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_WORKFLOW": "gate",
    "GITHUB_TOKEN": "ghs_secret",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_JOB_URL": "https://gitlab/o/r/-/jobs/5",
    "CI_PROJECT_URL": "https://gitlab/o/r",
    "CI_PIPELINE_IID": "8",
    "CI_JOB_NAME": "safety",
    "CI_JOB_TOKEN": "secret",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:secret@gitlab/o/r.git",
}


def test_executor_comes_from_the_variables_of_ci_without_tokens() -> None:
    github, gitlab = overall.executor(GITHUB, "m"), overall.executor(GITLAB, "m")
    assert github is not None
    assert (github["type"], github["buildOrder"], github["buildName"]) == ("github", 12, "gate #12")
    assert github["buildUrl"] == "https://github.com/o/r/actions/runs/77"
    assert gitlab is not None
    assert (gitlab["type"], gitlab["buildOrder"]) == ("gitlab", 8)
    assert gitlab["buildUrl"] == "https://gitlab/o/r/-/jobs/5"
    assert "secret" not in f"{github}{gitlab}"
    assert overall.executor({}, "m") is None
    assert overall.executor({"GITLAB_CI": "true"}, "m") is None


def test_properties_are_plain_ascii() -> None:
    text = overall.properties({"model": "モデル\\ 1\n", "b": "x=y:z"})
    assert text == "model=\\u30e2\\u30c7\\u30eb\\u005c 1\\u000a\nb=x=y:z\n"


def test_guideline_page_has_every_anchor_the_links_lead_to() -> None:
    page = published.guideline_page()
    for guideline in vocabulary.SHIPPED.guidelines:
        assert f'id="{labels.anchor(guideline)}"' in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="', page)


ANALYTICS = """\
<!DOCTYPE html><html><head><script>window.allure = {};</script></head><body>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>
  window.dataLayer = window.dataLayer || [];
  function gtag(){dataLayer.push(arguments);}
</script>
<script src="app.js"></script></body></html>
"""


def test_publishing_takes_out_analytics_and_nothing_else(tmp_path: Path) -> None:
    for name in ("awesome", "dashboard"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(ANALYTICS)
    attachment = tmp_path / "data" / "attachments" / "index.html"
    attachment.parent.mkdir(parents=True)
    attachment.write_text("gtag( <script>gtag()</script>")
    assert published.finish(tmp_path) == (2, 4)
    text = (tmp_path / "awesome" / "index.html").read_text()
    assert "gtag" not in text
    assert text.count("<script") == 2
    assert (tmp_path / "dashboard" / "guidelines.html").is_file()
    assert "gtag" in attachment.read_text(), "what a report holds is not touched"
    assert published.finish(tmp_path) == (2, 0)


def test_publishing_wants_a_report(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give the folder that Allure generated"):
        published.finish(tmp_path)


def test_transcript_shows_the_baseline_beside_the_run() -> None:
    shown = transcript.render(build(score=1.0, baseline=BaselineScores(name="release-1", turns=(8.5,), failed=False)))
    assert "baseline release-1" in shown
    assert '<span class="chip band5">8.5</span>' in shown
    assert '<span class="chip band1">1.0</span>' in shown
    assert "-7.5" in shown
    assert "baseline" not in transcript.render(build(score=1.0))


def test_transcript_of_a_shorter_baseline_or_missing_score_has_no_zero() -> None:
    verdict = build(status="judge_refused", detail="T0: refused")
    turn = verdict.turns[0].model_copy(update={"value": None, "scores": ()})
    verdict = verdict.model_copy(update={"turns": (turn,), "baseline": BaselineScores(name="r", turns=(), failed=None)})
    shown = transcript.render(verdict)
    assert "no score" in shown
    assert ">0.0<" not in shown


def test_transcript_asks_nobody_for_anything() -> None:
    shown = transcript.render(build())
    assert not re.search(r"(?:src|href|url)\s*[=(]", shown)
    assert "<script" not in shown


@pytest.mark.parametrize("indent", ["", "1"])
def test_files_are_those_of_allures_own_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: str) -> None:
    monkeypatch.setenv("ALLURE_INDENT_OUTPUT", indent)
    inner = model2.TestStepResult(name="T0: 1.0 \u65e5\u672c", status="failed", start=0, stop=7)
    step = model2.TestStepResult(name="", steps=[inner], status="passed")
    result = model2.TestResult(
        uuid="u", name="a", status="failed", start=1, stop=2, steps=[step], titlePath=["ja", "S1"]
    )
    result.statusDetails = model2.StatusDetails(message="low", known=False)
    result.labels = [
        model2.Label(name=LabelType.TAG, value="twin"),
        model2.Label(name="severity", value=Severity.MINOR),
    ]
    result.parameters = [model2.Parameter(name="model", value="m", excluded=True)]
    whole = model2.Globals(attachments=[model2.GlobalAttachment(name="a", source="s", type="t", timestamp=3)])
    theirs = AllureFileLogger(str(tmp_path / "theirs"))
    theirs.report_result(result)
    theirs.report_globals(whole)
    ours = written.Files(tmp_path / "ours")
    ours.report(result)
    ours.report(whole)
    found = {
        folder: {file.name[36:]: file.read_bytes() for file in (tmp_path / folder).iterdir()}
        for folder in ("ours", "theirs")
    }
    assert found["ours"] == found["theirs"]
    assert set(found["ours"]) == {"-result.json", "-globals.json"}
