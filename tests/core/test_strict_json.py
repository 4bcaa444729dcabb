"""JSON of files is read within bounds, and what it cannot mean is said in one line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.records import Usage

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_python_writes_comes_back(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode(errors="replace")
    assert strict_json.value(text) == json.loads(text)
    assert strict_json.value(b"\xef\xbb\xbf" + text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1] 2",
        '{"a": 1, "a": 2}',
        '{"x": {"a": 1, "b": 0, "a": 1}}',
        '{"a": NaN}',
        "[Infinity]",
        "[-Infinity]",
        "[" * 5_000,
        "[" * 250 + "]" * 250,
        '{"a":' * 5_000,
        "9" * 5_000,
        '"\\ud83d"',
        "\ud83d",
        b"\xff\xfe",
        b"\0",
        "'a'",
        "[1,]",
        "// a\n1",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_json_is_a_value_error_of_one_line(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="column") as caught:
        strict_json.value(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        strict_json.record(Usage, text)
    assert refused.value.errors()[0]["msg"].startswith("Invalid JSON: ")


def test_other_programs_may_write_a_number_that_is_none_and_a_key_twice() -> None:
    found = strict_json.value('{"a": 1, "a": NaN}', foreign=True)
    assert found["a"] != found["a"]
