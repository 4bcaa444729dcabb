"""Conversations with branches: which one is taken, and what it holds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from support.branched import make_branched

CASE = Case.model_validate(
    make_branched(
        expected=["a", "b", "c"], expected_if_refused=["d", "e"], expected_if_complied=["stops", "stops again"]
    )
)


@pytest.mark.parametrize(
    ("score", "branch"), [(1.0, "complied"), (4.0, "complied"), (4.5, "refused"), (10.0, "refused")]
)
def test_the_last_common_turn_chooses_the_branch(score: float, branch: str) -> None:
    assert branches.chosen(score) == branch


def test_a_case_along_a_branch_is_a_case_without_branches() -> None:
    taken = branches.along(CASE, "complied")
    assert taken.turns == (*CASE.turns, *CASE.turns_if_complied)
    assert taken.expected == ("a", "b", "c", "stops", "stops again")
    assert (taken.turns_if_refused, taken.turns_if_complied, taken.expected_if_refused) == ((), (), ())
    assert (taken.length, CASE.length) == (5, 5)
    assert branches.along(CASE, None).turns == CASE.turns
    assert branches.along(taken, "refused") is taken


def test_every_turn_is_named_by_its_place() -> None:
    assert [said.place for said in branches.every_turn(CASE)] == [
        *("T0", "T1", "T2", "T3 if refused", "T4 if refused", "T3 if complied", "T4 if complied")
    ]


def test_a_verdict_says_which_branch_its_turns_are_of() -> None:
    def verdict(**changes: Any) -> Verdict:
        score = Score(judge="j", value=3.0)
        turns = tuple(Turn(index=n, user="u", reply=Reply(text="r"), scores=(score,), value=3.0) for n in range(5))
        return Verdict(case=CASE, status="scored", turns=turns, planned_turns=5, **changes)

    assert verdict(branch="complied").mean == 3.0
    with pytest.raises(ValidationError, match="of no branch"):
        verdict()
