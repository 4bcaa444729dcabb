"""Reasoning is split off before anybody judges, stores or feeds back an answer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.models.reasoning import split_reasoning

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=80)
TAGS = ("<think>", "</think>", "<thinking>", "</thinking>", "<THINK>", "</Think>")
tagged = st.lists(st.one_of(st.sampled_from(TAGS), st.text(max_size=6)), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning", "unfinished"),
    [
        ("plain answer", "plain answer", "", False),
        ("<think>why</think>answer", "answer", "<think>why</think>", False),
        ("  <think>why</think>\n\nanswer\n", "answer", "<think>why</think>", False),
        ("why, tag dropped by the server</think>answer", "answer", "why, tag dropped by the server</think>", False),
        ("<think>a</think>x<think>b</think>answer", "xanswer", "<think>a</think><think>b</think>", False),
        ("<Thinking>why</THINKING>answer", "answer", "<Thinking>why</THINKING>", False),
        ("<think>cut off", "", "<think>cut off", True),
        ("answer<think>second thoughts", "answer", "<think>second thoughts", True),
        ("<think>a</think>answer<think>b", "answer", "<think>a</think><think>b", True),
        ("<think></think>", "", "<think></think>", False),
        ("", "", "", False),
        ("thinking aloud, <b>no tag</b>", "thinking aloud, <b>no tag</b>", "", False),
    ],
)
def test_split(text: str, answer: str, reasoning: str, unfinished: bool) -> None:
    assert split_reasoning(text) == (answer, reasoning, unfinished)


@STEADY
@given(tagged)
def test_no_answer_holds_a_think_tag(text: str) -> None:
    answer, _, _ = split_reasoning(text)
    assert not re.search(r"</?think(ing)?>", answer, re.IGNORECASE)


@STEADY
@given(tagged)
def test_nothing_is_invented_and_nothing_lost(text: str) -> None:
    answer, reasoning, _ = split_reasoning(text)
    assert sorted("".join((answer + reasoning).split())) == sorted("".join(text.split()))


@STEADY
@given(tagged, st.text(max_size=20))
def test_text_after_an_opened_block_is_never_answer(before: str, inside: str) -> None:
    closed = before + "</think>"
    answer, _, unfinished = split_reasoning(f"{closed}<think>{inside.replace('<', '')}")
    assert unfinished
    assert answer == split_reasoning(closed)[0]


@STEADY
@given(st.text())
def test_text_without_tags_is_all_answer(text: str) -> None:
    assert split_reasoning(text.replace("<", "(")) == (text.replace("<", "(").strip(), "", False)
