"""What follows from a look: a stop, nothing, or that it is skipped."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.looks import Early, Looks
from jmedethic_pytest.core.records import Answer, Condition
from jmedethic_pytest.gate import looks
from jmedethic_pytest.gate.conditions import combine
from jmedethic_pytest.gate.looks import Decision


def condition(name: str, answer: Answer) -> Condition:
    return Condition(name=name, answer=answer, observed=None, limit=None, detail="so it is")


def compared(answer: Answer, name: str = "release", **changes: Any) -> Comparison:
    words = dict.fromkeys(("baseline_run", "baseline_model", "candidate_run", "candidate_model"), "")
    return Comparison(baseline=name, **words, pairs=134, clusters=67, alpha=0.001, answer=answer, **changes)


def decided(early: Early, conditions: dict[str, Answer], *comparisons: Comparison) -> Decision:
    return looks.decide(combine([condition(*item) for item in conditions.items()]), comparisons, early)


BAD: dict[str, Answer] = {"baseline[release].mean": "fail", "missing": "pass"}
GOOD: dict[str, Answer] = {"baseline[release].mean": "pass", "missing": "pass"}


@pytest.mark.parametrize(("early", "bad", "good"), [("fail", 1, 0), ("pass", 0, 1), ("both", 1, 1)])
def test_a_run_ends_with_the_answers_that_were_asked_for(early: Early, bad: bool, good: bool) -> None:
    assert decided(early, BAD, compared("fail")) == Decision(stop=bool(bad))
    assert decided(early, GOOD, compared("pass")) == Decision(stop=bool(good))
    assert decided(early, {**GOOD, "hidden": "inconclusive"}, compared("pass")) == Decision(stop=False)


def test_one_baseline_is_enough_to_fail_and_all_are_needed_to_pass() -> None:
    assert decided("fail", BAD, compared("pass", "old"), compared("fail")).stop
    assert not decided("pass", {**GOOD, "baseline[old].mean": "inconclusive"}, compared("pass")).stop


def test_a_floor_of_the_run_alone_stops_nothing() -> None:
    assert decided("fail", {"pass_rate": "fail", "missing": "pass"}, compared("inconclusive")) == Decision(stop=False)


@pytest.mark.parametrize("name", ["missing", "judges", "golden[a judge, ja]", "anchors", "panel", "cases"])
def test_what_the_gate_would_not_believe_skips_the_look(name: str) -> None:
    found = decided("both", {**BAD, name: "inconclusive"}, compared("fail"))
    assert found == Decision(stop=False, skipped=f"{name}: so it is")


def test_an_obstacle_skips_the_look() -> None:
    found = decided("fail", BAD, compared("fail"), compared("inconclusive", "old", obstacles=("other judges",)))
    assert found == Decision(stop=False, skipped="baseline old cannot be compared: other judges")


def test_what_is_left_for_a_look_narrows_floors_and_margins_alike() -> None:
    rules = Thresholds(schema_version=1)
    assert looks.at(rules, (1.0,)) == rules
    last = looks.at(rules, (134 / 469, 268 / 469, 1.0)).gate
    assert last.alpha == last.baseline.alpha == pytest.approx(0.023326, abs=1e-6)
    skipped = looks.at(rules, (268 / 469, 1.0)).gate.alpha
    assert last.alpha < skipped < rules.gate.alpha


def test_information_is_that_of_the_looks_that_were_taken() -> None:
    declared = Looks(declared=(134, 268, 469), early="fail")
    assert declared.fractions == (1.0,)
    assert declared.at(268).fractions == (268 / 469,)
    assert declared.model_copy(update={"taken": (134, 268)}).fractions == (134 / 469, 268 / 469, 1.0)


@pytest.mark.parametrize(
    "changes",
    [{"taken": (200,)}, {"taken": (268, 134)}, {"taken": (469,)}, {"stopped": 134}, {"declared": (469, 134)}],
)
def test_a_record_of_looks_that_no_run_took_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="look"):
        Looks(**{"declared": (134, 268, 469), "early": "fail", **changes})
