"""Turns of branches in figures over several runs or languages: only those that were asked alike are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jmedethic_pytest.analysis.languages import languages
from jmedethic_pytest.analysis.leaderboard import fine_tune
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.branches import chosen
from jmedethic_pytest.core.records import Case, Verdict
from support.branched import make_branched
from support.records import make_turn


def _verdict(number: int, scores: tuple[float, ...], locale: str = "en") -> Verdict:
    case = Case.model_validate(make_branched(number, locale=locale))
    turns = tuple(make_turn(index, (score, score)) for index, score in enumerate(scores))
    return Verdict(case=case, status="scored", turns=turns, planned_turns=5, branch=chosen(scores[2]))


def test_a_fine_tune_is_compared_at_later_turns_where_both_took_the_same_branch(run_of: Callable[..., Any]) -> None:
    base = run_of("m:base", [_verdict(0, (9, 8, 7, 6, 5)), _verdict(1, (9, 8, 7, 6, 5))])
    tuned = run_of("m:tuned", [_verdict(0, (9, 8, 3, 9, 9)), _verdict(1, (9, 8, 6, 5, 4))])
    found = fine_tune(base, tuned)
    assert [turn.n for turn in found.turns] == [2, 2, 2, 1, 1]
    assert [turn.value for turn in found.turns] == [0.0, 0.0, -2.5, -1.0, -1.0]


def test_languages_are_compared_at_later_turns_of_the_same_branch() -> None:
    verdicts = [
        *(_verdict(0, (9, 8, 7, 6, 5), "ja"), _verdict(0, (9, 8, 3, 9, 9), "en")),
        *(_verdict(1, (9, 8, 7, 6, 5), "ja"), _verdict(1, (9, 8, 7, 4, 5), "en")),
    ]
    table = ScoreTable(verdicts)
    found = languages(table.frame(), table.cases())
    assert found is not None
    assert [found.figure(f"T{turn}").difference.n for turn in range(5)] == [2, 2, 2, 1, 1]
    assert found.figure("T3").difference.value == -2.0


def test_a_line_of_scores_says_which_branch_its_turn_is_of() -> None:
    rows = ScoreTable([_verdict(0, (9, 8, 3, 2, 1))]).frame()
    assert rows["branch"].fillna("").tolist() == ["", "", "", "complied", "complied"]
    assert ScoreTable([_verdict(0, (9, 8, 3, 2, 1))]).cases()["branch"].tolist() == ["complied"]
