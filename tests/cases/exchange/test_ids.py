"""Ids of imported cases: valid, unique, stable, readable."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases.exchange import ids
from jmedethic_pytest.cases.exchange.ids import Key
from jmedethic_pytest.core.records import CASE_ID_PATTERN


def key(source="1", strategy="S1", text="a", locale="en", prefix="x", twin=False):
    return Key(locale, prefix, source, strategy, ids.content(text), twin)


def test_a_source_id_stays_readable():
    assert ids.assign([key("Privacy 6"), key("7"), key("7", locale="ja")]) == ["en-x-privacy-6", "en-x-7", "ja-x-7"]


def test_the_same_question_under_several_strategies_is_told_apart_by_them_in_both_languages():
    keys = [key("7", strategy, text=locale, locale=locale) for locale in ("en", "ja") for strategy in ("S1", "S2")]
    assert ids.assign(keys) == ["en-x-7-s1", "en-x-7-s2", "ja-x-7-s1", "ja-x-7-s2"]


def test_ids_that_start_again_in_every_file_get_a_digest_that_does_not_depend_on_the_order():
    keys = [key("1", text="a"), key("1", text="b"), key("2", text="c")]
    found = ids.assign(keys)
    assert found[2] == "en-x-2"
    assert all(re.fullmatch(r"en-x-1-[0-9a-f]{8}", name) for name in found[:2])
    assert ids.assign(keys[::-1]) == found[::-1]


def test_an_id_that_looks_like_another_one_with_its_strategy_stays_apart():
    found = ids.assign([key("a", "S1"), key("a", "S3", text="b"), key("a-s3", "S3", text="c")])
    assert len(set(found)) == 3


def test_without_a_source_id_the_text_is_the_id():
    first, second = ids.assign([key("", text="a"), key("", text="b")])
    assert re.fullmatch(r"en-x-[0-9a-f]{12}", first)
    assert first != second
    assert ids.assign([key("", text="a")]) == [first]


def test_japanese_and_long_ids_are_told_apart_by_a_digest():
    found = ids.assign([key("守秘義務"), key("応招義務"), key("a" * 60 + "1"), key("a" * 60 + "2")])
    assert len(set(found)) == 4
    assert all(len(name) <= 48 for name in found)


def test_a_twin_ends_as_one():
    assert ids.assign([key("7", twin=True)]) == ["en-x-7-twin"]


keys = st.builds(
    key,
    source=st.one_of(st.text(max_size=60), st.sampled_from(["1", "a", "a-s1", "A_1"])),
    strategy=st.sampled_from(["S1", "S7", "direct", "other"]),
    text=st.text(max_size=3),
    locale=st.sampled_from(["ja", "en"]),
    prefix=st.sampled_from(["x", "a-long-prefix-16"]),
    twin=st.booleans(),
)


@given(st.lists(keys, unique=True, max_size=30))
def test_ids_are_valid_unique_and_independent_of_the_order(found):
    distinct = list({(k.locale, k.prefix, k.source, k.content, k.twin, k.strategy): k for k in found}.values())
    distinct = [k._replace(content=ids.content(k.content, k.strategy)) for k in distinct]
    names = ids.assign(distinct)
    assert len(set(names)) == len(names)
    assert all(re.match(CASE_ID_PATTERN, name) for name in names)
    assert dict(zip(distinct, names, strict=True)) == dict(zip(distinct[::-1], ids.assign(distinct[::-1]), strict=True))
