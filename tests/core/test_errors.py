"""Errors are worded for a person: place, value, what is allowed, and a guess at what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core import errors
from jmedethic_pytest.core.errors import ConfigError, ProviderError, did_you_mean, unknown

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("value", "allowed", "expected"),
    [
        ("smok", ["core", "smoke"], " Did you mean 'smoke'?"),
        ("SMOKE", ["core", "smoke"], " Did you mean 'smoke'?"),
        ("s5", ["S4", "S5"], " Did you mean 'S5'?"),
        ("opneai", ["openai", "openrouter"], " Did you mean 'openai'?"),
        ("zzz", ["core", "smoke"], ""),
        ("", ["core"], ""),
        ("core", [], ""),
    ],
)
def test_closest_word_is_suggested_in_its_own_spelling(value: str, allowed: list[str], expected: str) -> None:
    assert did_you_mean(value, allowed) == expected


@STEADY
@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6))
def test_suggestion_is_empty_or_one_of_the_allowed_words(value: str, allowed: list[str]) -> None:
    found = did_you_mean(value, allowed)
    assert found == "" or found in {f" Did you mean {word!r}?" for word in allowed}


@STEADY
@given(st.sampled_from(["core", "smoke", "twins"]))
def test_exact_word_suggests_itself(word: str) -> None:
    assert did_you_mean(word, ["core", "smoke", "twins"]) == f" Did you mean {word!r}?"


def test_unknown_names_place_value_and_what_is_allowed() -> None:
    assert unknown("--jmed-suite", "smok", ["core", "smoke"], " Next: list them.") == (
        "--jmed-suite: unknown value 'smok'. Did you mean 'smoke'? Allowed: core, smoke. Next: list them."
    )


def test_long_lists_are_cut_after_twelve_and_counted() -> None:
    text = unknown("x", "y", [f"name{n}" for n in range(67)])
    assert "name11, ... (67 in all)." in text
    assert "name12" not in text
    assert "in all" not in unknown("x", "y", [f"name{n}" for n in range(12)])


def test_config_error_carries_every_problem() -> None:
    assert ConfigError("one").problems == ["one"]
    assert ConfigError(["one", "two"]).problems == ["one", "two"]
    assert str(ConfigError(["one", "two"])) == "one\ntwo"


def test_everything_raised_on_purpose_has_one_base_except_findings() -> None:
    own = [item for item in vars(errors).values() if isinstance(item, type) and item.__module__ == errors.__name__]
    for item in own:
        assert issubclass(item, errors.JmedError) != issubclass(item, AssertionError)
    assert {item.__name__ for item in own if issubclass(item, AssertionError)} == {"ThresholdFailure", "KnownFailure"}


def test_provider_error_knows_whether_more_calls_make_sense() -> None:
    assert (ProviderError("m").fatal, ProviderError("m").http_status) == (False, None)
    assert ProviderError("m", fatal=True, http_status=401).fatal
