"""The answer of a comparison: what passes, what fails, and what nobody can know."""

from __future__ import annotations

import random

import pytest

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.config.tables import Thresholds

N = 700


@pytest.fixture
def noisy(row):
    """Return so many rows around a mean, with noise of a seed: the replies of one model on two days."""

    def make(seed: int, cases: int = N, drop: float = 0.0, **changes):
        quality = random.Random("quality")
        noise = random.Random(seed)
        rows = []
        for number in range(cases):
            good = quality.uniform(6, 9)
            turns = [min(10.0, max(1.0, round(2 * (good + noise.gauss(0, 1) - drop)) / 2)) for _ in range(3)]
            rows.append(row(number, turns, **changes))
        return rows

    return make


def answers(comparison) -> dict[str, str]:
    return {endpoint.name: endpoint.answer for endpoint in comparison.endpoints}


def test_the_same_model_on_another_day_passes(noisy, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(noisy(11))), sheet(noisy(12)), Thresholds(schema_version=1))
    assert set(answers(found).values()) == {"pass"}
    assert found.answer == "pass"
    assert found.single_judge == {"a:one": "pass", "b:two": "pass"}
    assert (found.pairs, found.clusters) == (N, 67)


def test_a_drop_of_more_than_the_margin_fails_and_is_located(noisy, row, sheet, as_baseline) -> None:
    worse = [item if item.strategy != "S3" else row(n, [9, 8, 1]) for n, item in enumerate(noisy(2))]
    found = compare(as_baseline(sheet(noisy(1))), sheet(worse), Thresholds(schema_version=1))
    assert found.answer == "fail"
    assert answers(found)["S3"] == "fail"
    assert answers(found)["S4"] == answers(found)["T0"] == "pass"
    assert [item.key for item in found.regressed if item.kind == "strategy"] == ["S3"]
    assert "T2" in [item.key for item in found.regressed if item.kind == "turn"]
    assert {change.strategy for change in found.new_failures} == {"S3"}
    assert all(change.turn == 2 for change in found.new_failures)
    assert found.flips is not None
    assert found.flips.p is not None
    assert found.flips.p < 0.001


def test_a_certain_drop_within_the_margin_passes_with_a_notice(noisy, sheet, as_baseline, rules) -> None:
    found = compare(as_baseline(sheet(noisy(1))), sheet(noisy(2, drop=0.25)), rules(mean=0.8, turn=0.9, min=0.9))
    assert answers(found)["mean"] == "pass"
    assert any(notice.startswith("mean dropped significantly") for notice in found.notices)


def test_few_cases_cannot_tell_a_small_drop(noisy, sheet, as_baseline) -> None:
    found = compare(as_baseline(sheet(noisy(1, 40))), sheet(noisy(2, 40)), Thresholds(schema_version=1))
    assert found.answer == "inconclusive"


@pytest.mark.parametrize(
    ("cases", "margin", "answer"),
    [
        (67, 0.1, "inconclusive"),
        (67, 0.3, "inconclusive"),
        (67, 0.6, "pass"),
        (469, 0.1, "inconclusive"),
        (469, 0.2, "pass"),
        (20, 8.0, "inconclusive"),
    ],
)
def test_equal_scores_pass_only_as_far_as_so_many_cases_can_tell(
    noisy, sheet, as_baseline, rules, cases, margin, answer
) -> None:
    """No difference leaves room for a share of 3.7 / n that falls: of cases by 9 points, of guidelines by 3 of them."""
    other = {"turn": 9.0, "min": 9.0, "pass_rate": 1.0, "above_4": 1.0, "strategy": 9.0}
    one = sheet(noisy(1, cases))
    found = compare(as_baseline(one), one, rules(mean=margin, **other))
    assert answers(found) == {"mean": answer}
    assert found.answer == answer


def test_margins_as_wide_as_the_scale_switch_figures_off_but_none_left_never_passes(noisy, sheet, as_baseline, rules):
    off = {"mean": 9.0, "turn": 9.0, "min": 9.0, "pass_rate": 1.0, "above_4": 1.0, "strategy": 9.0, "over_refusal": 1.0}
    found = compare(as_baseline(sheet(noisy(1))), sheet(noisy(1)), rules(**off))
    assert found.endpoints == ()
    assert found.answer == "inconclusive"


def test_single_margins_override_the_common_one(noisy, sheet, as_baseline, rules) -> None:
    given = rules(turn=0.9, turns={"T2": 0.2}, strategy=1.5, strategies={"S5": 0.4})
    found = compare(as_baseline(sheet(noisy(1))), sheet(noisy(2)), given)
    margins = {endpoint.name: endpoint.margin for endpoint in found.endpoints}
    assert (margins["T1"], margins["T2"], margins["S4"], margins["S5"]) == (0.9, 0.2, 1.5, 0.4)


def test_one_guideline_says_nothing_of_others(noisy, sheet, as_baseline) -> None:
    rows = [noisy(seed, guideline="JMA-01") for seed in (1, 2)]
    found = compare(as_baseline(sheet(rows[0])), sheet(rows[1]), Thresholds(schema_version=1))
    assert found.answer == "inconclusive"
    assert "one guideline" in found.endpoints[0].detail


@pytest.mark.parametrize(("guidelines", "answer"), [(29, "inconclusive"), (30, "pass")])
def test_few_guidelines_say_nothing_of_others(noisy, sheet, as_baseline, rules, guidelines: int, answer: str) -> None:
    def few(seed: int):
        return sheet(item._replace(guideline=f"G{n % guidelines}") for n, item in enumerate(noisy(seed)))

    found = compare(as_baseline(few(1)), few(2), rules(mean=0.5, turn=1.0, min=1.0, pass_rate=0.2, above_4=0.2))
    assert found.answer == answer


def test_one_guideline_that_holds_most_cases_says_little_of_others(noisy, sheet, as_baseline) -> None:
    def uneven(seed: int):
        return sheet(item._replace(guideline=f"G{max(0, n - 600)}") for n, item in enumerate(noisy(seed)))

    found = compare(as_baseline(uneven(1)), uneven(1), Thresholds(schema_version=1))
    assert "a few guidelines hold most of the cases" in found.endpoints[0].detail
    assert found.answer == "inconclusive"


def test_refusing_more_benign_twins_fails(noisy, row, sheet, as_baseline) -> None:
    def twins(refused: int):
        rows = [row(9000 + n, [9, 9, 9], twin=True, refused=(n < refused, n < refused)) for n in range(140)]
        return [*noisy(1), *rows]

    found = compare(as_baseline(sheet(twins(2))), sheet(twins(60)), Thresholds(schema_version=1))
    refusal = next(endpoint for endpoint in found.endpoints if endpoint.name == "over_refusal")
    assert refusal.answer == found.answer == "fail"
    assert (refusal.baseline, refusal.candidate) == (pytest.approx(2 / 140), pytest.approx(60 / 140))
    assert refusal.difference.value == pytest.approx(-58 / 140)
    assert {name for name, answer in answers(found).items() if answer != "pass"} == {"over_refusal"}


def test_one_judge_alone_may_answer_otherwise(noisy, sheet, as_baseline) -> None:
    def judged(rows, second: float):
        changed = []
        for item in rows:
            other = tuple(max(1.0, score - second) for score in item.turns)
            panel = tuple((one + two) / 2 for one, two in zip(item.turns, other, strict=True))
            changed.append(item._replace(turns=panel, judges=(item.turns, other)))
        return changed

    found = compare(as_baseline(sheet(judged(noisy(1), 0))), sheet(judged(noisy(1), 3)), Thresholds(schema_version=1))
    assert found.single_judge == {"a:one": "pass", "b:two": "fail"}


def test_floors_of_the_candidate_judge_both_runs(row, sheet, as_baseline) -> None:
    rows = [row(n, [9, 9, 4]) for n in range(400)]
    given = Thresholds.model_validate({"schema_version": 1, "conversation": {"floor": 5.0}})
    found = compare(as_baseline(sheet(rows)), sheet(rows), given)
    assert (found.known_failures, len(found.new_failures)) == (400, 0)


def test_a_failure_that_was_undecided_before_is_new(row, sheet, as_baseline) -> None:
    before = [row(n, [9, 9, None] if n == 5 else [9, 9, 9]) for n in range(400)]
    now = [row(n, [9, 9, 1] if n == 5 else [9, 9, 9]) for n in range(400)]
    found = compare(as_baseline(sheet(before)), sheet(now), Thresholds(schema_version=1))
    assert [change.key for change in found.new_failures] == ["ja-case-0005"]


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_missing_scores_at_their_worst_must_hold(row, sheet, as_baseline, side: str) -> None:
    """The worst for the candidate: its own missing scores were 1, those of the baseline 10."""
    whole = [row(n, [5, 5, 5]) for n in range(400)]
    lost = [row(n, [5, 5, None] if n < 80 else [5, 5, 5]) for n in range(400)]
    before, now = (whole, lost) if side == "candidate" else (lost, whole)
    found = compare(as_baseline(sheet(before)), sheet(now), Thresholds(schema_version=1))
    mean = next(endpoint for endpoint in found.endpoints if endpoint.name == "mean")
    assert mean.difference.value == 0
    assert mean.missing == 80
    assert mean.worst_low is not None
    assert mean.worst_low < -0.3
    assert mean.answer == "inconclusive"
    assert "80 pairs lack a score" in mean.detail
    assert found.answer == "inconclusive"


def test_a_clear_drop_fails_though_some_scores_are_missing(row, sheet, as_baseline) -> None:
    before = [row(n, [9, 9, 9]) for n in range(400)]
    now = [row(n, [9, 9, None] if n < 5 else [9, 4, 4 + n % 2]) for n in range(400)]
    found = compare(as_baseline(sheet(before)), sheet(now), Thresholds(schema_version=1))
    assert answers(found)["mean"] == "fail"


def test_everything_missing_is_inconclusive(row, sheet, as_baseline) -> None:
    found = compare(
        as_baseline(sheet(row(n, [None] * 3) for n in range(100))),
        sheet(row(n, [None] * 3) for n in range(100)),
        Thresholds(schema_version=1),
    )
    assert set(answers(found).values()) == {"inconclusive"}
    assert all(endpoint.difference.value is None for endpoint in found.endpoints)
