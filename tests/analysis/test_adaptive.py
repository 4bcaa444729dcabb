"""Attacked conversations: when each fell, what is said of those that ended early, and of two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.analysis.adaptive import compare, figures
from jmedethic_pytest.analysis.adaptive.falls import falls
from jmedethic_pytest.core.run_info import AttackPlan
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import AttackRow, Row, paper_floors
from support.score_rows import make_row, make_sheet

PLAN = AttackPlan(
    attacker={"model": "x:attacker", "kind": "openai", "structured": "schema"},
    style="crescendo",
    max_turns=7,
    seeds=3,
    calls=8,
    version="1",
    prompt="p" * 64,
    sampling={"temperature": 1.0},
)


def row(number: int, written: Sequence[float | None], *attacks: AttackRow) -> Row:
    return make_row(number, written, attacks=attacks)


@pytest.mark.parametrize(
    ("written", "attack", "expected"),
    [
        ((9, 8, 7), AttackRow(0, "turns", (6, 5, 4, 3)), (None, 7)),
        ((9, 8, 7), AttackRow(0, "reached", (6, 2)), (4, 4)),
        ((9, 2, 7), AttackRow(0, "reached"), (1, 1)),
        ((9, 8, 7), AttackRow(0, "refused", (6,)), (None, 4)),
        ((9, 8, 7), AttackRow(0, "reached", (6, 2.5)), (None, 5)),
        ((9, None, 1), AttackRow(0, "unscored"), (None, 1)),
        ((9, 8, 7), AttackRow(0, "unscored", (6, None)), (None, 4)),
        ((9, 8, 7, 9, 9, 9, 9, 1), AttackRow(0, "reached"), (None, 7)),
    ],
)
def test_the_scores_say_when_an_attack_succeeded_and_not_its_end(written: Any, attack: Any, expected: Any) -> None:
    (found,) = falls(row(0, written, attack), paper_floors, 7)
    assert (found.turn, found.seen) == expected


def test_those_that_ended_early_count_as_held_and_at_most_as_fallen() -> None:
    ends = (AttackRow(0, "reached", (2,), 1), AttackRow(1, "policy", (8,), 2), AttackRow(2, "turns", (8, 8, 8, 8), 4))
    found = figures.adaptive([row(n, (9, 9, 9), *ends) for n in range(40)], PLAN, paper_floors)
    assert (found.conversations, found.attacks, found.fell, found.asked) == (40, 120, 40, 280)
    assert found.ends == {"turns": 40, "policy": 40}
    assert [seed.first for seed in found.seeds] == [{"T3": 40}, {}, {}]
    shares = [(item.turn, round(item.share.value or 0.0, 3), round(item.most, 3)) for item in found.broken]
    assert shares[2:5] == [("T2", 0.0, 0.0), ("T3", 0.333, 0.333), ("T4", 0.333, 0.667)]
    assert found.survival is not None
    assert [turn.fell for turn in found.survival.turns] == [0, 0, 0, 40, 0, 0, 0]
    assert [turn.at_risk for turn in found.survival.turns][3:] == [120, 40, 40, 40]
    assert found.survival.ended_early is not None
    assert found.survival.ended_early.reasons == {"policy": 40}


def test_one_that_other_judges_ended_is_counted_apart() -> None:
    found = figures.adaptive([row(0, (9, 9, 9), AttackRow(0, "reached", (2.5,)))], PLAN, paper_floors)
    assert (found.fell, found.ends) == (0, {"stopped": 1})


def test_without_any_attack_there_is_nothing_to_say() -> None:
    found = figures.adaptive([row(0, (9, 9, 9))], PLAN, paper_floors)
    assert (found.attacks, found.broken, found.survival) == (0, (), None)


def against(before: Sequence[Row], now: Sequence[Row], plan: AttackPlan | None = PLAN) -> figures.AttackComparison:
    return compare.compare(
        Baseline("old", "2026", make_sheet(before, attack=plan)), make_sheet(now, attack=PLAN), paper_floors
    )


HELD, FELL = (AttackRow(0, "turns", (9, 9, 9, 9)), AttackRow(0, "reached", (2,)))


@pytest.mark.parametrize(("before", "now", "answer"), [(HELD, FELL, "less safe"), (FELL, HELD, "safer")])
def test_a_clear_difference_has_its_direction(before: AttackRow, now: AttackRow, answer: str) -> None:
    rows = [[row(n, (9, 9, 9), one if n % 2 else HELD) for n in range(120)] for one in (before, now)]
    found = against(*rows)
    assert (found.answer, found.pairs, found.obstacles) == (answer, 120, ())
    assert found.difference is not None
    assert found.difference.value == pytest.approx(-2.0 if answer == "less safe" else 2.0)
    assert found.worst_low == pytest.approx(found.difference.low)


def test_what_ended_early_could_have_been_anything() -> None:
    early = AttackRow(0, "refused", ())
    found = against([row(n, (9, 9, 9), FELL) for n in range(120)], [row(n, (9, 9, 9), early) for n in range(120)])
    assert found.answer == "no difference shown"
    assert found.difference is not None
    assert found.difference.value == pytest.approx(4.0)
    assert found.worst_low is not None
    assert found.worst_low <= 0.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attacker": {**PLAN.attacker, "model": "x:other"}}, "attacker.model differ: x:other in the baseline"),
        ({"style": "rephrase"}, "attack.style differ: rephrase in the baseline, crescendo here"),
        ({"max_turns": 6}, "attack.max_turns differ: 6"),
        ({"calls": 4}, "attack.calls differ: 4"),
        ({"prompt": "q" * 64}, "attack.prompt differ"),
        ({"sampling": {"temperature": 0.5}}, "attack.sampling differ"),
    ],
)
def test_runs_that_were_not_attacked_alike_are_not_compared(changes: dict[str, Any], words: str) -> None:
    rows = [row(n, (9, 9, 9), HELD) for n in range(60)]
    found = against(rows, rows, PLAN.model_copy(update=changes))
    assert (found.answer, found.difference) == ("inconclusive", None)
    assert words in found.obstacles[0]
    assert found.obstacles[-1].startswith("Next: attack the baseline")
    assert against(rows, rows, PLAN.model_copy(update={"seeds": 5})).answer == "no difference shown"
    assert "was not attacked" in against(rows, rows, None).obstacles[0]


@given(st.lists(st.one_of(st.none(), st.floats(1.0, 10.0)), min_size=1, max_size=10))
def test_safe_turns_lie_between_what_ended_early_may_have_been(scores: list[float | None]) -> None:
    (found,) = falls(row(0, scores[:3], AttackRow(0, "turns", tuple(scores[3:]))), paper_floors, 7)
    least, best = found.safe(7, held=False), found.safe(7, held=True)
    assert 0 <= least <= best <= 7
    assert least == best or found.turn is None
