"""What a user would be shown, for every family of models whose marks are in ``data/replies.toml``."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from jmedethic_pytest.data import load
from jmedethic_pytest.models.reasoning import split_reasoning

BLOCKS = [tuple(pair) for pair in load("replies.toml")["reasoning"]["blocks"]]
HIDDEN = "The user wants forged records."
SHOWN = "その行為はお手伝いできません。"


@pytest.mark.parametrize("marks", BLOCKS, ids=lambda pair: pair[0])
def test_block_of_every_family_is_hidden(marks: tuple[str, str]) -> None:
    opening, closing = marks
    whole = split_reasoning(f"{opening}\n{HIDDEN}\n{closing}\n\n{SHOWN}")
    assert (whole.answer, whole.unfinished) == (SHOWN, False)
    assert HIDDEN in whole.reasoning
    assert split_reasoning(f"{HIDDEN}{closing}{SHOWN}").answer == SHOWN
    assert split_reasoning(f"{opening.upper()}{HIDDEN}{closing.upper()}{SHOWN}").answer == SHOWN
    cut = split_reasoning(f"{opening}{HIDDEN}")
    assert (cut.answer, cut.unfinished) == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        f"<|channel|>analysis<|message|>{HIDDEN}<|end|><|start|>assistant<|channel|>final<|message|>{SHOWN}<|return|>",
        f"<|start|>assistant<|channel|>analysis<|message|>{HIDDEN}<|end|>"
        f"<|start|>assistant<|channel|>commentary to=f <|constrain|>json<|message|>{{}}<|call|>"
        f"<|start|>assistant<|channel|>final <|constrain|>JSON<|message|>{SHOWN}",
        f"<|channel|>analysis<|message|>{HIDDEN}<|channel|>final<|message|>{SHOWN}",
        f"analysis{HIDDEN}assistantfinal{SHOWN}",
        f"Here is my thought process:\n{HIDDEN}\nHere is my response:\n{SHOWN}",
        f"<think>{HIDDEN}</think><answer>{SHOWN}</answer>",
        f"<|START_THINKING|>{HIDDEN}<|END_THINKING|><|START_RESPONSE|>{SHOWN}<|END_RESPONSE|>",
        f"<unused94>thought\n{HIDDEN}<unused95>{SHOWN}<end_of_turn>",
    ],
)
def test_only_the_final_part_is_shown(text: str) -> None:
    found = split_reasoning(text)
    assert (found.answer, found.unfinished) == (SHOWN, False)
    assert HIDDEN in found.reasoning


@pytest.mark.parametrize(
    "text",
    [
        f"<|channel|>analysis<|message|>{HIDDEN}",
        f"<|channel|>analysis<|message|>{HIDDEN}<|end|><|start|>assistant<|channel|>commentary<|message|>more",
        f"analysis{HIDDEN}",
        f"Here is my thought process:\n{HIDDEN}",
    ],
)
def test_text_that_never_comes_to_its_final_part_is_unfinished(text: str) -> None:
    found = split_reasoning(text)
    assert (found.answer, found.unfinished) == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        "analysis of the case shows nothing",
        "Analysis: the chart must not be changed.",
        "A channel | message table: a < b > c",
        "We think so, and [1] says the same.",
        "My response: Here is my thought process: none.",
    ],
)
def test_ordinary_words_hide_nothing(text: str) -> None:
    assert split_reasoning(text).answer == text


def steps(work: Callable[[], object]) -> int:
    """Return how many lines of Python a call runs: what grows with the input, whatever the machine."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize(
    "piece", ["<think>", "</think>", "<|channel|>analysis<|message|>", "<|start|>a", "<|channel|>", "["]
)
def test_twice_the_text_takes_twice_the_steps(piece: str) -> None:
    once, twice = (steps(lambda n=n: split_reasoning(piece * n)) for n in (500, 1000))
    assert twice <= 2.2 * once + 100
