"""Every shape in which a conversation may be written, and the ones that are refused with a reason."""

from __future__ import annotations

import json

import pytest

from jmedethic_pytest.cases.exchange import dialogue
from jmedethic_pytest.cases.exchange.dialogue import Unusable

PAIRS = [{"user": "a", "bot": "x"}, {"user": "b", "bot": "y"}]
MESSAGES = [
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "x"},
    {"role": "user", "content": "b"},
    {"role": "assistant", "content": "y"},
]


@pytest.mark.parametrize(
    "values",
    [
        [["a", "b"]],
        ['["a", "b"]'],
        ["['a', 'b']"],
        [[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]],
        [[{"from": "human", "value": "a"}, {"from": "human", "value": "b"}]],
        [[{"turn": 0, "text": "a"}, {"turn": 1, "text": "b"}]],
        [{"turn_0": "a", "turn_1": "b"}],
        [{"1": "a", "2": "b"}],
        [{"turn_1": {"question": "a"}, "turn_2": {"question": "b"}}],
        ["a", "b"],
        ["a ", " b", "", None],
        ["a", "b", float("nan")],
    ],
)
def test_user_turns_are_found_in_every_shape(values):
    found = dialogue.read(values)
    assert found.turns == ("a", "b")
    assert found.replies == ()
    assert found.left_out == ()


@pytest.mark.parametrize(
    "value", [PAIRS, MESSAGES, json.dumps(MESSAGES), str(PAIRS), [{"ユーザー": "a", "アシスタント": "x"}, *PAIRS[1:]]]
)
def test_replies_are_kept_beside_their_turns(value):
    found = dialogue.read([value])
    assert (found.turns, found.replies) == (("a", "b"), ("x", "y"))


def test_ten_numbered_turns_are_put_in_the_order_of_their_numbers():
    numbered = {f"q{number}": str(number) for number in (10, 2, 1, 3, 4, 5, 6, 7, 8, 9)}
    assert dialogue.read([numbered]).turns == tuple(map(str, range(1, 11)))


def test_a_plain_text_is_a_single_turn():
    assert dialogue.read(["Write it."]).turns == ("Write it.",)
    assert dialogue.read(["[Note] write it."]).turns == ("[Note] write it.",)


def test_a_missing_reply_leaves_a_gap_and_a_missing_last_one_does_not():
    assert dialogue.read([[{"user": "a", "bot": ""}, {"user": "b", "bot": "y"}]]).replies == ("", "y")
    assert dialogue.read([[{"user": "a", "bot": "x"}, {"user": "b"}]]).replies == ("x",)


def test_what_a_case_cannot_carry_is_named():
    opening = [{"role": "system", "content": "be nice"}, {"role": "assistant", "content": "Hi!"}, *MESSAGES]
    found = dialogue.read([opening])
    assert found.turns == ("a", "b")
    assert found.left_out == ("a system message", "an opening message of the assistant")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None], "no user turn"),
        ([""], "no user turn"),
        ([[]], "no user turn"),
        (["", ""], "no user turn"),
        ([[{"role": "assistant", "content": "x"}]], "no user turn"),
        (["a", "", "c"], "an empty user turn"),
        ([["a", " "]], "an empty user turn"),
        ([[{"role": "tool", "content": "a"}]], "unknown role 'tool'"),
        ([[{"alpha": "a"}]], "unknown shape, with the keys alpha"),
        ([[["a"]]], "no plain text"),
        ([[{"role": "user", "content": [{"type": "text"}]}]], "no plain text"),
        (['[{"user": "a", "bot": '], "look like a list"),
    ],
)
def test_what_cannot_be_a_conversation_has_a_reason(values, reason):
    with pytest.raises(Unusable, match=reason):
        dialogue.read(values)
