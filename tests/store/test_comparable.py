"""What must not be compared is not, and the reason has a name."""

from __future__ import annotations

import pytest

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.config.tables import Thresholds

RULES = Thresholds(schema_version=1)
DEMO = {"model": "demo:judge-strict", "kind": "demo", "base_url": "simulation:4", "structured": "prompt"}
ONE = {"model": "a:one", "kind": "openai", "base_url": "https://a.example/v1", "structured": "schema"}
TWO = {"model": "b:two", "kind": "openai", "base_url": "https://b.example/v1", "structured": "prompt"}
UNLIKE = {
    "other judges": ({"judges": (ONE, {**TWO, "model": "c:three"})}, "judges differ: a:one, b:two"),
    "judges in another order": ({"judges": (TWO, ONE)}, "order of the judges"),
    "judges asked in another way": ({"judges": (ONE, {**TWO, "structured": "schema"})}, "judge b:two: structured"),
    "other prompts": ({"prompts": "q" * 64}, "prompts differ"),
    "other context": ({"judge_context": "turn"}, "judges.context differ: full in the baseline, turn here"),
    "judges' sampling": ({"judging": {"temperature": 0.7, "max_tokens": 4096}}, "judges.temperature"),
    "target's sampling": ({"target": {"temperature": 1.0, "max_tokens": 2048, "history": "own"}}, "target.temperature"),
    "target's length": ({"target": {"temperature": 0.0, "max_tokens": 512, "history": "own"}}, "target.max_tokens"),
    "system prompt": (
        {"target": {"temperature": 0.0, "max_tokens": 2048, "history": "own", "system": "sha256:1"}},
        "target.system differ: not set in the baseline, sha256:1 here",
    ),
    "history": (
        {"target": {"temperature": 0.0, "max_tokens": 2048, "history": "reference"}},
        "target.history",
    ),
    "repeats": ({"repeats": 3}, "repeats differ: 1 in the baseline, 3 here"),
    "simulation": ({"simulated_target": True}, "a real model in the baseline, a simulation here"),
    "unfinished": ({"status": "incomplete"}, "the run run-1 is incomplete"),
}


@pytest.fixture
def rows(row):
    return [row(n, [9, 9, 9]) for n in range(400)]


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike_runs_are_not_compared(rows, sheet, as_baseline, name: str) -> None:
    changes, told = UNLIKE[name]
    found = compare(as_baseline(sheet(rows)), sheet(rows, **changes), RULES)
    assert found.answer == "inconclusive"
    assert found.endpoints == ()
    assert len(found.obstacles) == 1, found.obstacles
    assert told in found.obstacles[0]


def test_every_difference_is_named(rows, sheet, as_baseline) -> None:
    changes = {"prompts": "q" * 64, "repeats": 2, "judge_context": "turn"}
    assert len(compare(as_baseline(sheet(rows)), sheet(rows, **changes), RULES).obstacles) == 3


def test_demo_judges_cannot_compare_real_models(rows, sheet, as_baseline) -> None:
    one = sheet(rows, judges=(DEMO, TWO))
    assert "demo judges are simulations" in compare(as_baseline(one), one, RULES).obstacles[0]


def test_model_and_address_of_the_target_may_differ(rows, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(rows)), sheet(rows, model="vllm:tuned", run="run-2"), RULES)
    assert found.answer == "pass"
    assert (found.baseline_model, found.candidate_model) == ("vllm:base", "vllm:tuned")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key": "ja-new-0001"}, "1 of 400 evaluations are not in the baseline: ja-new-0001"),
        ({"digest": "f" * 32}, "texts of 1 of 400 evaluations differ from the baseline's: ja-case-0007"),
        ({"strategy": "S7"}, "guideline, strategy or kind of 1 of 400"),
        ({"turns": (9.0, 9.0), "judges": ((9.0, 9.0),) * 2}, "turns of 1 of 400 evaluations differ: 3 in the baseline"),
    ],
    ids=["new case", "changed text", "changed label", "fewer turns"],
)
def test_other_cases_are_not_compared(rows, sheet, as_baseline, change, told: str) -> None:
    other = [item._replace(**change) if number == 7 else item for number, item in enumerate(rows)]
    found = compare(as_baseline(sheet(rows)), sheet(other), RULES)
    assert found.answer == "inconclusive"
    assert any(told in obstacle for obstacle in found.obstacles), found.obstacles


def test_a_part_of_the_cases_is_compared_with_a_notice(rows, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(rows)), sheet(rows[:350]), RULES)
    assert not found.obstacles
    assert found.pairs == 350
    assert "350 of the baseline's 400" in found.notices[0]


def test_twins_alone_never_pass(row, sheet, as_baseline) -> None:
    twins = [row(n, [9, 9, 9], twin=True, refused=(False, False)) for n in range(400)]
    found = compare(as_baseline(sheet(twins)), sheet(twins), RULES)
    assert found.obstacles == ("no adversarial case is in both",)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("twins", {"twin": True, "refused": (False, False)}),
        ("S9", {"strategy": "S9"}),
        ("en", {"locale": "en"}),
    ],
)
def test_what_is_left_out_keeps_a_run_from_passing_unless_on_purpose(
    rows, row, sheet, as_baseline, rules, kind, changes
) -> None:
    baseline = as_baseline(sheet([*rows, *(row(9000 + n, [9, 9, 9], **changes) for n in range(100))]))
    found = compare(baseline, sheet(rows), RULES)
    assert found.answer == "inconclusive"
    assert [doubt.name for doubt in found.doubts] == ["left_out"]
    assert f'left_out = ["{kind}"]' in found.doubts[0].detail
    assert compare(baseline, sheet(rows), rules(left_out=[kind])).answer == "pass"


def test_what_is_left_out_hides_no_regression(rows, row, sheet, as_baseline) -> None:
    baseline = as_baseline(sheet([*rows, *(row(9000 + n, [9, 9, 9], strategy="S9") for n in range(100))]))
    worse = [item._replace(turns=(9, 9, 1), judges=((9, 9, 1),) * 2) for item in rows]
    assert compare(baseline, sheet(worse), RULES).answer == "fail"


def test_a_judge_that_was_served_by_another_model_is_told(rows, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(rows)), sheet(rows, served={"a:one": ("one-2027",)}), RULES)
    assert found.answer == "pass"
    assert any("served as one-2026 for the baseline and as one-2027 here" in notice for notice in found.notices)


SERVED = {"engine": "vllm", "version": "1", "weights": "fast:a", "flags": "none"}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (SERVED, {**SERVED, "weights": "fast:b"}, None),
        (SERVED, {**SERVED, "version": "2"}, "(version: 1 for the baseline, 2 here)"),
        (SERVED, {**SERVED, "engine": "sglang"}, "(engine: vllm for the baseline, sglang here)"),
        (SERVED, {**SERVED, "flags": "ab12"}, "(flags: none for the baseline, ab12 here)"),
        (None, SERVED, "this run's target was served by the run itself"),
        (SERVED, None, "the baseline's target was served by the run itself"),
    ],
)
def test_a_target_that_was_served_otherwise_is_told_and_compared(
    rows, sheet, as_baseline, before, now, said: str | None
) -> None:
    found = compare(as_baseline(sheet(rows, serving=before)), sheet(rows, serving=now), RULES)
    assert found.answer == "pass"
    assert [notice for notice in found.notices if "served" in notice or "server" in notice] == [
        notice for notice in found.notices if said is not None and said in notice
    ]
    assert (said is None) == (not any("server" in notice for notice in found.notices))


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (("w1", ("a", "b")), ("w1", ("a", "c")), True),
        (("w1", ("a", "b")), ("w1", ("a", "")), False),
        (("w1", ("a", "b")), ("w2", ("a", "c")), False),
        ((None, ("a", "b")), (None, ("a", "c")), False),
    ],
    ids=["other answers", "no answer", "other revision", "none stated"],
)
def test_other_answers_to_the_probes_under_the_baselines_revision_are_told(
    rows, sheet, as_baseline, before, now, told: bool
) -> None:
    kept = sheet(rows, revision=before[0], probes=before[1])
    found = compare(as_baseline(kept), sheet(rows, revision=now[0], probes=now[1]), RULES)
    assert any("do not answer the probes alike" in notice for notice in found.notices) == told


def test_nothing_in_common_is_no_crash(rows, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(rows)), sheet([]), RULES)
    assert found.answer == "inconclusive"
    assert found.pairs == 0


@pytest.mark.parametrize("kept", [1, 2])
def test_runs_of_different_length_are_not_compared_whichever_is_shorter(row, sheet, as_baseline, kept: int) -> None:
    whole, shorter = (sheet([row(n, [9, 9, 9][:length]) for n in range(40)]) for length in (3, kept))
    for before, now in ((whole, shorter), (shorter, whole)):
        found = compare(as_baseline(before), now, RULES)
        assert (found.answer, found.pairs) == ("inconclusive", 40)
        assert "turns of 40 of 40 evaluations differ" in found.obstacles[0]
