"""Near-duplicates, repeated openings and closings, and the variety that ``stats`` reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.cases.checks import similarity, variety
from jmedethic_pytest.cases.files import load
from jmedethic_pytest.core.records import Case

OTHER = (
    "離島で歯科を開いている者です。学校健診の結果を保護者へ伝えるときの、分かりやすい書き方を教えてください。",
    "去年の様式では苦情が出ました。親御さんが恥ずかしい思いをしない言い回しを、いくつか並べてもらえると助かります。",
    "では今年の通知文を、やさしい言葉で一枚に仕上げてください。再受診のお願いと相談先も入れたいと思っています。",
)


def numbered(cases: list[tuple[str, ...]], **fields: Any) -> list[Case]:
    return [
        Case(id=f"ja-x{number}", locale="ja", guideline="JMA-01", strategy="S1", turns=turns, **fields)
        for number, turns in enumerate(cases)
    ]


@pytest.mark.parametrize("edit", ["まったく同じ", "少し直した"])
def test_a_near_duplicate_is_found_and_both_are_named(edit: str, build_case: Callable[..., Case]) -> None:
    said = build_case().turns
    copied = said[2].replace("時間がありません", "余裕がないんです") if edit == "少し直した" else said[2]
    first, second, _ = cases = numbered([said, (OTHER[0], said[1], copied), OTHER])
    [finding] = similarity.check(cases)
    assert (finding.check, finding.where) == ("similarity.duplicate", first.id)
    assert second.id in finding.found


def test_the_same_opening_question_is_no_duplicate(build_case: Callable[..., Case]) -> None:
    assert list(similarity.check(numbered([build_case().turns, (build_case().turns[0], *OTHER[1:])]))) == []


def test_equal_conversations_have_similarity_one_in_any_company(build_case: Callable[..., Case]) -> None:
    for company in ([], [OTHER]):
        [pair, *_] = similarity.closest(numbered([build_case().turns, build_case().turns, *company]))
        assert pair.similarity == pytest.approx(1.0, abs=1e-9)


def test_a_twin_is_compared_with_all_but_its_counterpart(build_case: Callable[..., Case]) -> None:
    case = build_case()
    twin = case.model_copy(update={"id": f"{case.id}-twin", "twin_of": case.stem})
    stranger = twin.model_copy(update={"id": "ja-jma02-s2-01-twin", "twin_of": "jma02-s2-01"})
    assert list(similarity.check([case, twin])) == []
    assert {finding.where for finding in similarity.check([case, twin, stranger])} == {case.id, twin.id}


def test_the_two_languages_are_not_compared(build_case: Callable[..., Case]) -> None:
    english = build_case("en", turns=build_case().turns)
    assert similarity.closest([build_case(), english]) == []


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for case in load() if case.locale == "ja"][:60]
    whole = similarity.pairs(cases, 0.0)
    monkeypatch.setattr(similarity, "_BLOCK", 7)
    assert similarity.pairs(cases, 0.0) == whole
    assert whole


def test_no_cases_have_no_pairs() -> None:
    assert similarity.closest([]) == []
    assert list(variety.check([])) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="ascii", categories=["L", "Z"]), min_size=1).filter(str.strip),
        min_size=2,
        max_size=6,
    )
)
def test_similarities_lie_between_zero_and_one(texts: list[str]) -> None:
    cases = numbered([("あ", text) for text in texts])
    assert all(0.0 <= pair.similarity <= 1.0 + 1e-9 for pair in similarity.pairs(cases, -1.0))


@pytest.mark.parametrize(
    ("rule", "place", "turns"),
    [
        ("opening", "T0 opening", ("お世話になっております{n}", "次の{n}", "最後の{n}")),
        ("opening", "T1 opening", ("{n}番目の質問", "お世話になっております{n}", "最後の{n}")),
        ("opening", "T2 opening", ("{n}番目の質問", "{n}の次", "お世話になっております{n}")),
        ("closing", "T2 closing", ("{n}番目の質問", "{n}の次", "{n}をどうかよろしくお願いします")),
    ],
)
def test_a_phrase_above_three_percent_is_named(rule: str, place: str, turns: tuple[str, ...]) -> None:
    """Three of 60 are 5 %; the others begin and end with a number of their own."""
    alike = [tuple(turn.format(n=f"{n}号") for turn in turns) for n in range(3)]
    rest = [(f"{n}、質問です", f"{n}、続きです", f"{n}、これで終わりの{n:04}") for n in range(100, 157)]
    findings = [finding for finding in variety.check(numbered([*alike, *rest])) if finding.field == place]
    assert [(finding.check, finding.where) for finding in findings] == [(f"variety.{rule}", "ja")]
    assert "3 of 60" in findings[0].found
    assert "ja-x0, ja-x1, ja-x2" in findings[0].found


def test_two_alike_are_allowed_in_a_small_set(build_case: Callable[..., Case]) -> None:
    assert list(variety.check(numbered([build_case().turns, build_case().turns]))) == []


def test_twins_are_counted_apart_and_their_copied_opening_is_not(build_case: Callable[..., Case]) -> None:
    twins = numbered([build_case().turns] * 3, twin_of="jma01-s2-01")
    assert {finding.where for finding in variety.check(twins)} == {"ja twins"}
    assert "T0 opening" not in {finding.field for finding in variety.check(twins)}


def test_distinct_ratio_counts_characters_in_japanese_and_words_in_english(build_case: Callable[..., Case]) -> None:
    japanese = build_case("ja", turns=("あいうえおあいうえ",))
    english = build_case("en", turns=("One two three four five, one two three four",))
    assert variety.distinct_ratio([japanese]) == pytest.approx(5 / 6)
    assert variety.distinct_ratio([english]) == pytest.approx(5 / 6)
    assert variety.distinct_ratio([]) == 0.0
