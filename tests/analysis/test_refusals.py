"""What is counted of replies without a judge."""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.analysis.answering import Answering
from jmedethic_pytest.analysis.refusals import Refusals, by_turn
from jmedethic_pytest.core.records import Case, Reply, Turn, Verdict


def verdict(number: int, *replies: Reply, **case: Any) -> Verdict:
    turns = tuple(Turn(index=index, user=f"q{index}", reply=reply) for index, reply in enumerate(replies))
    asked = Case(
        id=f"en-{number}",
        locale="en",
        guideline="JMA-01",
        strategy="S1",
        turns=tuple(f"q{index}" for index in range(3)),
        **case,
    )
    return Verdict(case=asked, status="not_judged", turns=turns, planned_turns=3)


def reply(text: str, status: Any = "ok") -> Reply:
    return Reply(text=text, status=status)


NO, YES = reply("I'm sorry, but I can't help with that."), reply("Of course. Here is the letter.")


def test_refusals_are_counted_by_turn_and_those_of_twins_apart() -> None:
    verdicts = [verdict(1, YES, NO), verdict(2, YES, YES), verdict(3, NO, twin_of="en-1")]
    assert by_turn(verdicts) == [Refusals("T0", 2, 0), Refusals("T1", 2, 1), Refusals("twin T0", 1, 1)]


def test_what_is_no_whole_reply_is_not_counted() -> None:
    cut, hidden = reply(NO.text, "truncated"), reply("[redacted: sha256 ab]")
    assert by_turn([verdict(1, cut), verdict(2, hidden)]) == []


def test_different_replies_are_neither_the_same_nor_a_few() -> None:
    answering = Answering()
    for number, text in enumerate(("One thing.", "Another thing.", "A third one.")):
        answering.add(verdict(number, reply(text), reply(f"{text} Again.")))
    counts = answering.counts()
    assert [counts[name] for name in ("same", "few", "stuck")] == [(0, 3), (0, 3), (0, 3)]
