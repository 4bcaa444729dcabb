"""How long conversations stay safe, in every case that there is, in both languages of the page and in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jmedethic_pytest.analysis import frames
from jmedethic_pytest.analysis.survival.survival import survival
from jmedethic_pytest.reports.page.survival import section
from jmedethic_pytest.reports.plots.style import drawing
from jmedethic_pytest.reports.plots.survival import still_safe
from jmedethic_pytest.reports.terminal.findings import finding_lines
from jmedethic_pytest.store.scores import paper_floors
from support.score_rows import make_row

SAFE, LATE = [9.0] * 7, [9.0] * 6 + [1.0]
WEAK, GONE = [5.0] * 7, [5.0] * 3 + [None] * 4
Turns = Sequence[float | None]


def summary(courses: Sequence[Turns], mixed: Any) -> Any:
    rows = [make_row(number, turns)._replace(status="judge_refused") for number, turns in enumerate(courses)]
    found = survival(frames.frame(rows, paper_floors), paper_floors)
    return mixed.outcome.summary.model_copy(update={"survival": found})


@pytest.mark.parametrize(
    ("courses", "shown"),
    [
        ([SAFE] * 469, {"en": "A plateau: at T5–T6 0.0% [0.0%, ", "ja": "横ばいです。T5–T6 で"}),
        ([*[SAFE] * 400, *[LATE] * 69], {"en": "certainly more than 2%", "ja": "確実に 2% を上回ります"}),
        ([SAFE] * 40, {"en": "It cannot be told", "ja": "判定できません"}),
        ([*[SAFE] * 400, *[GONE] * 69], {"en": "not like the others", "ja": "ほかの会話とは傾向が異なります"}),
        ([*[WEAK] * 400, *[GONE] * 69], {"en": "69 (judge_refused 69) ended before", "ja": "これらを除くと 7.00"}),
        ([SAFE] * 12, {"en": "Too few conversations for figures: 12 of 12", "ja": "指針 12 件の 12 会話"}),
    ],
    ids=["plateau", "continues", "inconclusive", "unlike", "like", "few"],
)
def test_every_case_has_its_words(courses: list[Turns], shown: dict[str, str], mixed: Any) -> None:
    told = summary(courses, mixed)
    found = section(told)
    assert found is not None
    texts = [found.reason, *(value for _, value in found.facts)]
    assert shown["en"] in " ".join(text.en for text in texts)
    assert shown["ja"] in " ".join(text.ja for text in texts)
    long = told.model_copy(
        update={"survival": tuple(item.model_copy(update={"kind": "long"}) for item in told.survival)}
    )
    lines = [line for line in finding_lines(long) if line.startswith(("safe", "falls", "last", "ended"))]
    assert all(line.startswith(("safe turns  ", "falls by turn", "last two turns", "ended early")) for line in lines)
    assert max(map(len, lines)) <= 120


def test_a_plot_is_drawn_of_longer_conversations_alone(mixed: Any) -> None:
    with drawing("survival"):
        assert still_safe(mixed.outcome.summary.survival, simulated=True) is None
        assert still_safe(summary([SAFE] * 12, mixed).survival, simulated=False) is None
        drawn = still_safe(summary([*[LATE] * 30, *[WEAK] * 40], mixed).survival, simulated=True)
    assert drawn is not None
    assert drawn.svg.startswith("<?xml")
