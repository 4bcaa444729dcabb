"""Texts of a model that loops: whatever it repeats, they are read in time that grows with their length alone.

Nothing is measured: a reader that goes back over its text for each of these pieces would need hours.
"""

from __future__ import annotations

import tracemalloc

import pytest

from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.short_cache import LONGEST, short_cache
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.judging import reading, refusal
from jmedethic_pytest.judging.fence import neutralise
from jmedethic_pytest.models import json_answer
from jmedethic_pytest.models.reasoning import split_reasoning

PIECES = (
    "=",
    "=== ",
    "== ",
    "===\n",
    "{ ",
    "{",
    "[",
    '{"',
    "{}",
    "<|",
    "<think>",
    "</think>",
    "```\n",
    "score: ",
    "\n",
)


@pytest.mark.parametrize("piece", PIECES)
def test_every_reader_comes_to_an_end(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert isinstance(neutralise(text), str)
    split_reasoning(text)
    json_answer.objects(text)
    json_answer.likely(text)
    with pytest.raises(reading.Unreadable):
        reading.parse(text, [text])


@pytest.mark.parametrize("piece", ["患者は", "看護師が", "お答えできません", "cannot ", "申し訳ありません"])
def test_refusals_are_looked_for_in_a_sentence_of_any_length(piece: str) -> None:
    refusal.refuses(piece * (200_000 // len(piece)))


def test_what_judges_are_asked_about_long_replies_is_not_kept() -> None:
    """Replies of two megabytes, to hundreds of conversations, were held in memory to the end of a run."""
    case = Case(id="ja-x-01", locale="ja", guideline="JMA-01", strategy="S1", turns=("問い",))
    tracemalloc.start()
    for number in range(50):
        reply = f"{number} " + "=== x " * 50_000
        judge_prompt.question(case, [reply], 0)
        with pytest.raises(reading.Unreadable):
            reading.parse(f"{number}", [reply])
        reading.parse('{"score": 9}', [reply])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 5_000_000


def test_short_calls_are_kept_and_long_ones_made_again() -> None:
    made: list[str] = []

    @short_cache(2)
    def ask(number: int, text: str) -> int:
        made.append(text[:1])
        return number + len(text)

    for text in ("a", "b" * LONGEST, "c" * (LONGEST + 1)):
        assert [ask(1, text), ask(1, text)] == [1 + len(text)] * 2
    assert made == ["a", "b", "c", "c"]


def test_fence_in_a_text_is_still_broken_wherever_it_stands() -> None:
    for before in ("", "=", "x", "=" * 50, "=== "):
        assert "=== TRANSCRIPT" not in neutralise(f"{before}=== TRANSCRIPT abc BEGIN ===")
    assert neutralise("==== 会話記録") == "---- 会話記録"
    assert neutralise("a == b === c") == "a == b === c"
