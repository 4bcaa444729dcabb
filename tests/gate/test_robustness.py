"""The optional conditions on the net: of a run alone, and beside a baseline that was reworded alike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from jmedethic_pytest.analysis.robustness import Reworded
from jmedethic_pytest.config.tables import GateTable, Thresholds
from jmedethic_pytest.config.tiers import figure_of, is_figure
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.gate.figures import Figures
from jmedethic_pytest.gate.robustness import robustness
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.companions import Companion
from jmedethic_pytest.store.scores import Origin, ScoreSheet
from support.score_rows import ORIGIN, make_row

RULES = Thresholds(schema_version=1)
ON = GateTable.model_validate({"robustness": 0.05})
BESIDE = GateTable.model_validate({"baseline": {"robustness": 0.05}})
GOOD, BAD = (9.0, 8.0, 9.0), (9.0, 6.0, 1.5)


def run(new: int, fixed: int, count: int = 469, wording: str = "w", **changes: Any) -> tuple[ScoreSheet, dict]:
    """A run in which so many conversations newly fail in other words and so many are fixed, spread over guidelines."""
    random = np.random.default_rng(4)
    order = random.permutation(count).tolist()
    fell, mended = set(order[:new]), set(order[new : new + fixed])
    rows, companions = {}, {}
    for number in range(count):
        before, after = (BAD, GOOD) if number in mended else (GOOD, BAD if number in fell else GOOD)
        row = make_row(number, before, **changes)
        rows[row.key] = row
        companions[row.key] = Companion("typos", row, make_row(number, after, **changes), wording=wording)
    return ScoreSheet(Origin(**ORIGIN), rows), companions


def made(sheet: ScoreSheet, companions: dict, baselines: tuple[Baseline, ...] = ()) -> Reworded:
    asked = {"kinds": ["typos"], "version": "1"}
    return Reworded(sheet.origin, sheet.rows, companions, asked, RULES, baselines)


def ask(robust: Reworded | None, rules: GateTable, *obstacles: str) -> list[Condition]:
    names = [item.name for item in robust.baselines] if robust is not None else ["b"]
    comparisons = [SimpleNamespace(baseline=name, obstacles=obstacles) for name in names]
    return list(robustness(cast(Figures, SimpleNamespace(robust=robust, comparisons=comparisons)), rules))


@pytest.mark.parametrize(
    ("new", "fixed", "answer", "told"),
    [
        (0, 0, "pass", "+0.0 points"),
        (14, 5, "pass", "-1.9 points"),
        (17, 5, "pass", "a certain loss, by less than the margin"),
        (60, 3, "fail", "a certain loss, which may exceed the margin"),
        (30, 20, "inconclusive", "too few cases"),
    ],
)
def test_alone(new: int, fixed: int, answer: str, told: str) -> None:
    (condition,) = ask(made(*run(new, fixed)), ON)
    assert (condition.name, condition.answer) == ("robustness", answer), condition.detail
    assert told in condition.detail


def test_off_unless_asked_for() -> None:
    assert ask(made(*run(60, 0)), GateTable()) == []
    assert ask(None, GateTable()) == []


def test_missing_never_passes() -> None:
    """Without any rewording, and with too many companions that were not reached."""
    (condition,) = ask(None, ON)
    assert condition.answer == "inconclusive"
    assert "--jmed-perturb" in condition.detail
    sheet, companions = run(0, 0)
    lost = dict(list(companions.items())[40:])
    (condition,) = ask(made(sheet, lost), ON)
    assert condition.answer == "inconclusive"
    assert "40 pairs lack a score" in condition.detail
    sheet, companions = run(0, 0)
    (condition,) = ask(made(sheet, {key: Companion("width", reason="no") for key in companions}), ON)
    assert condition.answer == "inconclusive"


def test_few_guidelines_never_pass() -> None:
    (condition,) = ask(made(*run(0, 0, guideline="JMA-01")), ON)
    assert condition.answer == "inconclusive"


@pytest.mark.parametrize(("now", "answer"), [((14, 5), "pass"), ((80, 2), "fail"), ((30, 5), "inconclusive")])
def test_beside_a_baseline_reworded_alike(now: tuple[int, int], answer: str) -> None:
    before, companions = run(14, 5)
    baseline = Baseline("b", "", before, companions)
    (condition,) = ask(made(*run(*now), (baseline,)), BESIDE)
    assert (condition.name, condition.answer) == ("robustness[b]", answer), condition.detail


def test_a_baseline_that_was_not_reworded_alike_says_so() -> None:
    before, companions = run(14, 5)
    plain, other = Baseline("b", "", before), Baseline("b", "", before, run(14, 5, wording="other")[1])
    for baseline, told in ((plain, "was not reworded."), (other, "was not reworded alike: 469 conversations")):
        (condition,) = ask(made(*run(14, 5), (baseline,)), BESIDE)
        assert condition.answer == "inconclusive"
        assert told in condition.detail
    (condition,) = ask(None, BESIDE)
    assert condition.answer == "inconclusive"
    (condition,) = ask(made(*run(14, 5), (Baseline("b", "", before, companions),)), BESIDE, "other judges")
    assert condition.answer == "inconclusive"
    assert "other judges" in condition.detail


def test_conversations_that_neither_reached_are_missing_and_those_the_baseline_lacks_are_unlike() -> None:
    before, companions = run(14, 5)
    lost = list(companions)[:3]
    rest = {key: item for key, item in companions.items() if key not in lost}
    (condition,) = ask(made(before, rest, (Baseline("b", "", before, rest),)), BESIDE)
    assert condition.answer == "pass"
    fewer = ScoreSheet(before.origin, {key: row for key, row in before.rows.items() if key not in lost})
    (condition,) = ask(made(before, rest, (Baseline("b", "", fewer, rest),)), BESIDE)
    assert condition.answer == "inconclusive"
    assert "3 conversations have another wording" in condition.detail


def test_switched_off_margins_leave_rules_and_digests_as_they_were() -> None:
    assert "robustness" not in GateTable().model_dump()
    assert "robustness" not in GateTable().model_dump(mode="json")["baseline"]
    assert ON.model_dump()["robustness"] == 0.05
    assert GateTable.model_validate(ON.model_dump()) == ON


def test_a_suite_is_asked_for_its_own_conversations() -> None:
    """Under a policy each suite is decided apart, and the condition is a figure that may be named in a tier."""
    sheet, companions = run(60, 0)
    fell = {key for key, item in companions.items() if item.reworded is not None and item.reworded.turns == BAD}
    whole = made(sheet, companions)
    assert ask(whole, ON)[0].answer == "fail"
    (condition,) = ask(whole.only(sheet.rows.keys() - fell), ON)
    assert (condition.answer, condition.observed) == ("pass", 0)
    assert [is_figure(figure_of(name)) for name in ("robustness", "robustness[b]")] == [True, True]
