"""Who answered: one model behind each name, or the run is no measurement of it."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.analysis.provenance import Census
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict


def verdict(target: str, judge: str, **reply: Any) -> Verdict:
    case = Case(id="en-a", locale="en", guideline="JMA-01", strategy="S1", turns=("q",))
    scores = tuple(Score(judge=f"x:j{n}", value=9.0, model=judge if n else "j0") for n in range(2))
    turn = Turn(index=0, user="q", reply=Reply(text="r", model=target, **reply), scores=scores, value=9.0)
    return Verdict(case=case, status="scored", turns=(turn,), planned_turns=1)


@pytest.mark.parametrize(
    ("verdicts", "doubted"),
    [
        ([verdict("m", "j"), verdict("m", "j")], []),
        ([verdict("m", "j"), verdict("other", "j")], ["served[target]"]),
        ([verdict("m", "j"), verdict("m", "cheap")], ["served[judge x:j1]"]),
        ([verdict("", "j"), verdict("m", "j")], []),
        ([verdict("j", "j")], ["itself[judge x:j1]"]),
        ([verdict("j0", "j0")], []),  # a server that calls everything by one name
    ],
)
def test_two_models_behind_one_name_are_inconclusive(verdicts: list[Verdict], doubted: list[str]) -> None:
    census = Census()
    for item in verdicts:
        census.add(item)
    found = list(census.result().conditions())
    assert [condition.name for condition in found] == doubted
    assert all(condition.answer == "inconclusive" for condition in found)


def test_replies_of_earlier_runs_are_counted() -> None:
    census = Census()
    census.add(verdict("m", "j"))
    census.add(verdict("m", "j", cached=True))
    assert (census.result().replies, census.result().cached) == (2, 1)
    assert census.result().names("target") == "m (2)"
