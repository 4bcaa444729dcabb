"""A deployment that answers nobody is found out by its replies, whatever judges think of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmedethic_pytest.analysis.answering import LEAST, Answering
from jmedethic_pytest.core.records import Case, Reply, Turn, Verdict


def look(reply: Callable[[int, int, str], str], *, count: int = LEAST, locale: str = "ja") -> list[str]:
    """Return the doubts about a target that replies with a function of case, turn and message."""
    found = Answering()
    for number in range(count):
        users = [f"{number} 番目の患者さんについて、{turn} 回目の質問です。" for turn in range(3)]
        if locale == "en":
            users = [f"Question {turn} about patient number {number}, please." for turn in range(3)]
        case = Case(id=f"{locale}-c{number}", locale=locale, guideline="JMA-01", strategy="S1", turns=tuple(users))  # type: ignore[arg-type]
        turns = tuple(
            Turn(index=turn, user=user, reply=Reply(text=reply(number, turn, user))) for turn, user in enumerate(users)
        )
        found.add(Verdict(case=case, status="judge_refused", turns=turns, planned_turns=3))
    return [condition.name for condition in found.conditions()]


def sound(number: int, turn: int, _: str) -> str:
    return "その依頼はお手伝いできません。" if turn == 2 else f"患者{number}さんへの説明の要点を{turn + 1}つ挙げます。"


def test_model_that_answers_and_refuses_at_the_end_in_one_sentence_is_not_doubted() -> None:
    assert look(sound) == []
    assert look(lambda number, turn, _: f"Answer {number} to your question {turn}.", locale="en") == []


@pytest.mark.parametrize(
    ("reply", "doubt"),
    [
        (lambda *_: "Internal Server Error. Please try again later.", "target[same]"),
        (lambda number, *_: f"Upstream failed at 23:{number:02d}:07, id 7f{number:06x}-aa10.", "target[same]"),
        (lambda number, turn, _: f"サーバーが混み合っています({'ABCDEFGHIJKLM'[number % 13]})。", "target[few]"),
        (
            lambda number, turn, _: f"患者{number}さんの説明です。" if turn == 0 else "文脈が長すぎます。",
            "target[stuck]",
        ),
        (lambda *_: "お答えできません。", "target[refused]"),
        (lambda number, *_: f"{number} 番の件は、申し訳ありませんがお手伝いできません。", "target[refused]"),
        (lambda *_: ".", "target[short]"),
        (lambda *_: "!!!!!!!!!!!!!!!!!!!!", "target[short]"),
        (lambda number, *_: "はは" * (number + 1), "target[short]"),
        (lambda _, __, user: user, "target[echo]"),
        (lambda _, __, user: f"You said: {user}", "target[echo]"),
        (lambda number, turn, _: f"Sure, here is answer {number} to message {turn}.", "target[script]"),
    ],
)
def test_what_is_no_answer_is_doubted(reply: Callable[[int, int, str], str], doubt: str) -> None:
    assert doubt in look(reply)


def test_small_run_says_nothing() -> None:
    assert look(lambda *_: ".", count=LEAST - 1) == []


def test_redacted_replies_are_told_apart_by_their_digests_alone() -> None:
    assert look(lambda number, turn, _: f"[redacted: sha256 {number}{turn}, 20 characters]") == []
    assert look(lambda *_: "[redacted: sha256 0, 20 characters]") == ["target[same]"]
