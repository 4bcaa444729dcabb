"""A reply is whole only if its server says so in a known word, and if it did not use up what it was allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.models.ending import ending, is_block


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
        ("error", "truncated"),
        ("abort", "truncated"),
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
    ],
)
def test_reason_is_read_without_case_and_prefix_and_an_unknown_one_is_not_whole(finish: str, wanted: str) -> None:
    assert status(finish) == wanted


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
    assert status(finish, unfinished=True) != "ok"
    assert status(finish, used=100) != "ok"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "data_inspection_failed", "message": "x"}},
        {"error": {"message": "x", "type": "hooks_failed"}},
        {
            "error": {
                "code": "400",
                "provider_specific_fields": {"innererror": {"code": "ResponsibleAIPolicyViolation"}},
            }
        },
        {"error": {"code": 400, "metadata": {"reasons": ["harassment"]}}},
        {"error": {"code": 1301}},
        {"error": {"message": "litellm.ContentPolicyViolationError: the prompt"}},
    ],
)
def test_block_is_known_by_codes_at_any_depth_or_by_words(body: dict[str, dict[str, str]]) -> None:
    assert is_block(body, str(body["error"].get("message", "")))


@pytest.mark.parametrize(
    "body",
    [
        None,
        "content_filter",
        {"error": "bad request"},
        {"error": {"code": "invalid_request_error", "message": "Unsupported parameter: 'temperature'"}},
        {"error": {"message": "your organization was flagged by our abuse detection"}},
        {"message": {"content": {"filter": "content_filter"}}},
    ],
)
def test_mistake_in_a_request_is_no_block(body: object) -> None:
    message = body["error"].get("message", "") if isinstance(body, dict) and isinstance(body.get("error"), dict) else ""
    assert not is_block(body, message)
