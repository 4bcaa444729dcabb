"""JSON in answers of models: what is read strictly, what is guessed at, and that no text makes either hang."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.models import json_answer

_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
_OBJECTS = st.dictionaries(st.text(), _VALUES | st.dictionaries(st.text(), _VALUES, max_size=2), max_size=4)
_PROSE = st.text(st.characters(exclude_characters='{}`"“'))


@given(_OBJECTS, _PROSE)
def test_an_object_on_lines_of_its_own_is_found_by_every_reading(value: dict[str, object], prose: str) -> None:
    written = json.dumps(value)
    text = f"{prose}\n{written}"
    assert json_answer.at_end(text) == value
    assert json_answer.likely(text)[0] == value
    found = json_answer.objects(text)
    assert found is not None
    assert (found.own, found.own_ends, found.last) == ([value], True, written)


@given(_OBJECTS)
def test_a_fence_is_no_part_of_the_answer(value: dict[str, object]) -> None:
    written = f"```json\n{json.dumps(value)}\n```"
    assert json_answer.whole(written) == value
    assert json_answer.likely(f'first {{"a": 1}}, then\n{written}\nwhich is all') == [value]


@given(st.text('{}[]":,a1 \n`', max_size=80))
def test_no_text_raises(text: str) -> None:
    for read in (json_answer.whole, json_answer.objects, json_answer.at_end, json_answer.likely):
        read(text)


@pytest.mark.parametrize("text", ['so it is {"a": 1}', '{"a": 1} is mine\n{"b": 2}\n{"c": 3} and more', '{ "a": '])
def test_what_stands_in_a_sentence_or_is_cut_is_no_object_of_its_own(text: str) -> None:
    found = json_answer.objects(text)
    assert found is None or not found.own_ends


def test_the_last_of_several_objects_is_the_likely_one() -> None:
    assert json_answer.likely('{"a": 1} or {"b": 2} or {"broken": ') == [{"b": 2}, {"a": 1}]


@pytest.mark.parametrize("values", [(1, 2), (1, 2, 1), (1, 2, 3), (2, 2, 1)])
def test_a_key_given_twice_keeps_two_values_apart(values: tuple[int, ...]) -> None:
    written = ", ".join(f'"score": {value}' for value in values)
    found = json_answer.whole(f"{{{written}}}")
    assert found is not None
    assert len(set(found.values())) == 2


@pytest.mark.parametrize(
    "piece",
    ["{", "{}", '{"', '{"a":', '{"\\"', '{"a":1}\n', 'x {"a":1} ', "```\n", "{" + " " * 200, '{"a":[' + "0," * 200],
    ids=repr,
)
def test_a_million_characters_are_read_through(piece: str) -> None:
    """Any reading that goes over the text once for each of its pieces would hang here."""
    text = piece * (1_000_000 // len(piece))
    json_answer.whole(text)
    json_answer.objects(text)
    json_answer.at_end(text)
    json_answer.likely(text)


def test_a_fence_full_of_empty_lines_is_read_through() -> None:
    assert json_answer.likely("```" + "\n" * 1_000_000) == []


def test_a_key_given_a_hundred_thousand_times_is_read_through() -> None:
    found = json_answer.whole("{" + ", ".join(f'"a": {number}' for number in range(100_000)) + "}")
    assert found is not None
    assert len(found) == 2
