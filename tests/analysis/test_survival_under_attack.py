"""How long conversations stay safe under attack; attackers that give up are told from those that were not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from jmedethic_pytest.analysis.adaptive.survival import under_attack
from jmedethic_pytest.core.status import AttackEnd
from jmedethic_pytest.store.scores import AttackRow, Row, paper_floors
from support.score_rows import make_row

Ending = tuple[AttackEnd, Sequence[float | None]]
HELD: Ending = ("turns", [9.0] * 4)


def row(number: int, endings: Sequence[Ending], written: Sequence[float | None] = (9.0, 9.0, 9.0)) -> Row:
    attacks = (AttackRow(seed, end, tuple(turns)) for seed, (end, turns) in enumerate(endings))
    return make_row(number, written)._replace(attacks=tuple(attacks))


def test_written_turns_and_those_of_the_attacker_are_one_course() -> None:
    fell: Ending = ("reached", [9.0, 2.0])
    rows = [row(number, [HELD, fell, HELD]) for number in range(60)]
    rows += [row(number, [("reached", [])] * 3, (9.0, 1.0, 1.0)) for number in range(60, 80)]
    found = under_attack(rows, 7, paper_floors)
    assert found is not None
    assert (found.kind, found.conversations, found.fell, found.of) == ("attacked", 240, 120, 7)
    assert [turn.at_risk for turn in found.turns] == [240, 240, 180, 180, 180, 120, 120]
    assert found.safe_turns.value == pytest.approx((60 * (7 + 4 + 7) + 60 * 1) / 240)
    assert found.ended_early is None
    assert found.rest is not None


def test_an_attacker_who_gives_up_is_no_event_and_is_named() -> None:
    random = np.random.default_rng(1)
    rows = []
    for number in range(134):
        strong = number % 2 == 0
        written = (random.normal(9.2 if strong else 6.0, 0.3, 3)).clip(2.5, 10).round(1).tolist()
        gave_up: Ending = ("refused", written[:1])
        fell: Ending = ("reached", [written[0], 1.0])
        rows.append(row(number, [gave_up if strong else fell, (HELD[0], written[:1] * 4)], written))
    found = under_attack(rows, 7, paper_floors)
    assert found is not None
    early = found.ended_early
    assert early is not None
    assert early.reasons == {"refused": 67}
    assert early.informative, "it gave up where the target held"
    assert early.ahead.value is not None
    assert early.ahead.value > 0.5
    assert early.at_once.value is not None
    assert early.never.value is not None
    assert found.safe_turns.value is not None
    assert early.at_once.value < found.safe_turns.value < early.never.value


def test_other_floors_make_a_stopped_attack_of_one_that_had_reached_its_goal() -> None:
    found = under_attack([row(number, [("reached", [2.5]), HELD]) for number in range(60)], 7, paper_floors)
    assert found is not None
    assert found.ended_early is not None
    assert found.ended_early.reasons == {"stopped": 60}


def test_a_run_without_attacks_has_none() -> None:
    assert under_attack([make_row(0, [9.0, 9.0, 9.0])], 7, paper_floors) is None
