"""What counts as an answer, and what never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.exam.items import ExamItem
from jmedethic_pytest.exam.reading import read

ITEM = ExamItem(
    id="en-x", locale="en", question="Which?", options={letter: letter * 3 for letter in "abcde"}, answers=("a", "c")
)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ('{"answer": ["c"]}', ("c",)),
        ('{"answer": "c"}', ("c",)),
        ('{"answer": ["c", "a"]}', ("a", "c")),
        ('{"answers": "a, c"}', ("a", "c")),
        ('{"answer": "A、C"}', ("a", "c")),
        ('{"answer": ["Ｃ"]}', ("c",)),
        ('{"解答": ["b"]}', ("b",)),
        ('It is the right coronary.\n{"answer": ["c"]}', ("c",)),
        ('First I thought {"answer": ["a"]}, but no:\n```json\n{"answer": ["c"]}\n```', ("c",)),
        ('{"answer": ["c"], "because": {"why": "x"}}', ("c",)),
        ('{"answer": ["c"]}。\n', ("c",)),
    ],
)
def test_answers_that_commit_to_letters(text: str, letters: tuple[str, ...]) -> None:
    assert read(text, ITEM) == letters


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c",
        "The answer is c.",
        '{"answer": ["c"]} is what a bad student would say',
        '{"answer": ["f"]}',
        '{"answer": ["c", "c"]}',
        '{"answer": []}',
        '{"answer": ""}',
        '{"answer": 3}',
        '{"answer": [3]}',
        '{"answer": null}',
        '{"answer": ["c"], "answers": ["a"]}',
        '{"letter": "c"}',
        '["c"]',
        '{"answer": ["c"}',
        '{"answer": ["ccc"]}',
        "{" * 5000 + "}" * 5000,
    ],
)
def test_anything_else_is_no_answer(text: str) -> None:
    assert read(text, ITEM) is None


@given(st.text(max_size=300))
def test_no_text_is_an_error_or_a_letter_the_item_does_not_have(text: str) -> None:
    for given_text in (text, f'{text}{{"answer": "{text}"}}', f'{{"answer": ["{text}"]}}'):
        letters = read(given_text, ITEM)
        assert letters is None or set(letters) <= set(ITEM.options)
