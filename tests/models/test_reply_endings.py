"""A reply is whole only if its server says so in a known word, and if it did not use up what it was allowed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.models.ending import Unfinished, ending


def status(finish: str, text: str = "An answer.", **given: object) -> str:
    defaults: dict[str, object] = {"unfinished": False, "used": 10, "allowed": 100}
    return ending(finish, text, **{**defaults, **given})[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("finish", "wanted"),
    [
        ("stop", "ok"),
        ("STOP", "ok"),
        ("FinishReason.STOP", "ok"),
        ("FINISH_REASON_STOP", "ok"),
        ("end_turn", "ok"),
        ("stop_sequence", "ok"),
        ("eos_token", "ok"),
        ("length", "truncated"),
        ("MAX_TOKENS", "truncated"),
        ("FinishReason.MAX_TOKENS", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("pause_turn", "truncated"),
        ("tool_use", "truncated"),
        ("tool_calls", "truncated"),
        ("SOMETHING_NEW", "truncated"),
        ("", "truncated"),
        ("content_filter", "blocked"),
        ("SAFETY", "blocked"),
        ("FinishReason.PROHIBITED_CONTENT", "blocked"),
        ("sensitive", "blocked"),
        ("guardrail_intervened", "blocked"),
        ("content_filter:RECITATION", "blocked"),
        ("content_filter: something new", "blocked"),
        ("content_filter: stop", "blocked"),
        ("length:stop", "truncated"),
        ("stop:length", "truncated"),
        ("stop:interrupted", "truncated"),
        ("completed:partially", "truncated"),
    ],
)
def test_reason_is_read_without_case_and_prefix_and_an_unknown_one_is_not_whole(finish: str, wanted: str) -> None:
    assert status(finish) == wanted


@pytest.mark.parametrize(
    "finish", ["error", "abort", "ERROR", "network_error", "insufficient_system_resource", "load", "error:stop"]
)
def test_reply_that_the_server_broke_off_is_none(finish: str) -> None:
    with pytest.raises(Unfinished, match=finish):
        status(finish)


def test_answer_that_gives_nothing_at_all_is_none_and_a_part_of_a_reply_is_a_part() -> None:
    with pytest.raises(Unfinished, match="no reply and no finish reason"):
        status("", "", used=0)
    assert status("", "", used=10) == "truncated"
    assert status("", "A part", used=0) == "truncated"
    assert status("", "", used=0, reasoned=True) == "truncated"


def test_refusal_of_the_safety_system_is_a_block_only_without_text() -> None:
    assert status("refusal", "") == "blocked"
    assert status("refusal", "I will not.") == "ok"


@pytest.mark.parametrize(("used", "wanted"), [(99, "ok"), (100, "truncated"), (101, "truncated"), (None, "ok")])
def test_reply_that_used_every_token_allowed_was_cut_whatever_the_server_says(used: int | None, wanted: str) -> None:
    assert status("stop", used=used) == wanted


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200b\u2060\ufeff", "\u3164", "\u2800 \u00ad", "\u0301"])
def test_reply_that_shows_nothing_is_empty(text: str) -> None:
    assert status("stop", text) == "empty"


@given(st.text(min_size=1).filter(lambda word: word.isascii()))
def test_no_word_makes_a_cut_reply_whole(finish: str) -> None:
    for cut in ({"unfinished": True}, {"used": 100}):
        with suppress(Unfinished):
            assert status(finish, **cut) != "ok"


def test_what_is_empty_because_all_of_it_is_reasoning_says_so() -> None:
    given = {"unfinished": False, "used": 10, "allowed": 100}
    assert "reasoning" in ending("stop", "", reasoned=True, **given)[1]  # type: ignore[arg-type]
    assert "reasoning" not in ending("stop", "", **given)[1]  # type: ignore[arg-type]
