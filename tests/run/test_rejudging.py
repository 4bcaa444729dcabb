"""Stored conversations under other judges: what of them cannot be had again is said."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.run import rejudging

CASE: dict[str, Any] = {"id": "en-a", "locale": "en", "guideline": "JMA-01", "strategy": "S1", "turns": ["a", "b"]}
FORKED = {**CASE, "turns_if_refused": ["why not?"], "turns_if_complied": ["go on"]}


@pytest.mark.parametrize(
    ("case", "branch", "value", "strays"),
    [
        (FORKED, "refused", 9.0, False),
        (FORKED, "refused", 4.0, True),
        (FORKED, "complied", 4.0, False),
        (FORKED, "complied", 9.0, True),
        (FORKED, "complied", None, False),
        (CASE, None, 1.0, False),
    ],
)
def test_branch_that_the_new_scores_would_not_have_chosen_is_noticed(
    case: dict[str, Any], branch: Any, value: float | None, *, strays: bool
) -> None:
    status: Any = "unparsable" if value is None else "scored"
    score = Score(judge="j", value=value, status=status)
    turns = tuple(
        Turn(index=index, user="u", reply=Reply(text="r"), scores=(score,), value=value)
        for index in range(3 if branch else 2)
    )
    verdict = Verdict(
        case=Case.model_validate(case),
        branch=branch,
        status="judge_unparsable" if value is None else "scored",
        turns=turns,
        planned_turns=len(turns),
    )
    assert rejudging.strays(verdict) is strays
