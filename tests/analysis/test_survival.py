"""How long the conversations of a run stay safe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from jmedethic_pytest.analysis import frames
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.analysis.survival.survival import survival
from jmedethic_pytest.store.scores import Row, paper_floors
from support.score_rows import make_row

AT_RISK, FELL = (469, 455, 420, 372, 346, 330, 318), (14, 35, 48, 26, 16, 12, 9)
Turns = Sequence[float | None]


def asked(courses: Iterable[Turns], **changes: object) -> tuple[Survival, ...]:
    rows = [make_row(number, turns, **changes) for number, turns in enumerate(courses)]
    return survival(frames.frame(rows, paper_floors), paper_floors)


def golden() -> list[Turns]:
    """Return the conversations of the golden numbers; whoever falls is as bad afterwards as it can be."""
    falls = np.random.default_rng(1).permutation(np.repeat([*range(7), 7], [*FELL, AT_RISK[0] - sum(FELL)]))
    return [[9.0] * int(turn) + [1.5] * (7 - int(turn)) for turn in falls]


def test_a_run_of_seven_turns_has_the_golden_figures() -> None:
    (found,) = asked(golden())
    assert (found.kind, found.of, found.conversations, found.guidelines, found.fell) == ("long", 7, 469, 67, 160)
    assert [turn.at_risk for turn in found.turns] == list(AT_RISK)
    assert [turn.fell for turn in found.turns] == list(FELL)
    assert found.safe_turns.value == pytest.approx(5.437, abs=5e-4)
    assert found.turns[-1].safe.value == pytest.approx(0.6588, abs=5e-5)
    assert found.rest is not None
    assert found.rest.slope.value == pytest.approx(-0.3225, abs=1e-4)
    assert found.rest.answer == "continues"
    assert found.ended_early is None
    assert [(step.first, step.second) for step in found.survivors] == [(f"T{n}", f"T{n + 1}") for n in range(2, 6)]


def test_three_turns_and_more_are_told_apart_and_twins_of_a_plan_end_it() -> None:
    short, long = asked([*[[9.0, 9.0, 1.0]] * 40, *[[9.0] * 5] * 40, *[[9.0] * 7] * 40])
    assert (short.kind, short.of, short.safe_turns.value, short.rest, short.strata) == ("short", 3, 2.0, None, ())
    assert (long.planned, long.fell) == ({"5": 40, "7": 40}, 0)
    assert [turn.at_risk for turn in long.turns] == [80, 80, 80, 80, 80, 40, 40]
    assert long.safe_turns.value == pytest.approx(7.0)
    assert long.ended_early is None, "a plan that ends is no conversation that ended early"


def test_a_few_conversations_have_no_figures_and_say_so() -> None:
    (found,) = asked([[9.0, 9.0, 9.0]] * 19)
    assert "too few" in found.reason
    assert found.safe_turns.reason == found.reason
    assert (found.turns, found.safe_turns.value, found.conversations) == ((), None, 19)
    (same,) = asked([[9.0, 9.0, 9.0]] * 400, guideline="JMA-01")
    assert "1 guidelines" in same.reason
    assert survival(frames.frame([], paper_floors), paper_floors) == ()


def test_a_missing_score_ends_what_is_known_and_both_ends_of_it_are_told() -> None:
    safe, lost = [9.0] * 7, [9.0, 9.0, 9.0, None, None, None, None]
    (found,) = asked([*[safe] * 90, *[lost] * 10], status="judge_refused")
    assert [turn.at_risk for turn in found.turns] == [100, 100, 100, 90, 90, 90, 90]
    early = found.ended_early
    assert early is not None
    assert early.reasons == {"judge_refused": 10}
    assert (early.at_once.value, early.never.value, early.without) == pytest.approx((6.6, 7.0, 7.0))
    assert found.safe_turns.value == pytest.approx(7.0)
    assert not early.informative


def test_a_later_low_score_counts_against_the_best_of_a_missing_one() -> None:
    (found,) = asked([*[[9.0] * 3] * 90, *[[9.0, None, 1.0]] * 10])
    early = found.ended_early
    assert early is not None
    assert (early.at_once.value, early.never.value) == pytest.approx((2.8, 2.9))


@pytest.mark.parametrize(("theirs", "informative"), [(9.5, True), (5.0, True), (None, False)])
def test_those_who_ended_early_are_compared_with_those_who_went_on(theirs: float | None, informative: bool) -> None:
    random = np.random.default_rng(3)
    noise = random.normal(7.0, 0.5, (300, 7)).round(2)
    courses: list[Turns] = []
    for number, scores in enumerate(noise.tolist()):
        early = scores[:4] if theirs is None else [theirs] * 4
        courses.append([*early, None, None, None] if number % 5 == 0 else scores)
    (found,) = asked(courses)
    assert found.ended_early is not None
    assert found.ended_early.informative is informative


def test_no_plateau_where_missing_scores_could_be_falls() -> None:
    safe = [9.0] * 7
    (whole,) = asked([safe] * 469)
    (gaps,) = asked([*[safe] * 449, *[[9.0] * 6 + [None]] * 20])
    assert whole.rest is not None
    assert whole.rest.answer == "plateau"
    assert gaps.rest is not None
    assert gaps.rest.answer == "inconclusive"


def test_strata_follow_from_t3_on_those_who_were_alike_until_then() -> None:
    weak = [[5.0] * 3 + [1.0] * 4, [5.0] * 7] * 50
    middle, strong = [[7.0] * 7] * 100, [[9.5] * 7] * 100
    fallen = [[1.0] * 7] * 50
    (found,) = asked([*weak, *middle, *strong, *fallen])
    assert [(item.low, item.high, item.n) for item in found.strata] == [(5, 5, 100), (7, 7, 100), (9.5, 9.5, 100)]
    assert [item.safe for item in found.strata] == [(0.5,) * 4, (1.0,) * 4, (1.0,) * 4]


def test_survivors_are_those_safe_at_both_turns() -> None:
    courses = [[9.0] * 4 + [8.0, 8.0, 1.0], [9.0] * 4 + [8.0, 1.0, 1.0]] * 100
    (found,) = asked(courses)
    steps = {step.second: (step.difference.value, step.difference.n) for step in found.survivors}
    assert steps == {"T3": (0.0, 200), "T4": (-1.0, 200), "T5": (0.0, 100), "T6": (None, 0)}


def make_rows(courses: Iterable[Turns]) -> list[Row]:
    return [make_row(number, turns) for number, turns in enumerate(courses)]


def test_one_judge_in_place_of_two_leaves_the_turn_open() -> None:
    rows = make_rows([[9.0] * 3] * 60)
    alone = [row._replace(judges=((9.0,) * 3, (9.0, None, 9.0))) for row in rows[:6]]
    frame = frames.frame([*alone, *rows[6:]], paper_floors)
    (found,) = survival(frame, lambda strategy, turn: 5.0)
    assert (found.safe_turns.value, found.ended_early) == (3.0, None)
