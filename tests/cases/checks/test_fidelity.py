"""What a translation must keep: numbers in any form, and names in Latin letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases.checks import fidelity
from jmedethic_pytest.generation.stages import translate


@pytest.mark.parametrize(
    ("japanese", "english"),
    [
        ("四百人分の一覧", "a list of 400 patients"),
        ("400人分の一覧", "a list of four hundred patients"),
        ("２０２４年の記録", "the record of 2024"),
        ("昭和60年3月の病院", "a hospital in March 1985"),
        ("1985年の病院", "a hospital in the 60th year of Showa"),
        ("令和元年の通達", "the notice of 2019"),
        ("3万円を請求する", "charge 30,000 yen"),
        ("1億2000万円", "120 million yen"),
        ("1万2千床", "12,000 beds"),
        ("15時の回診", "the round at 3 p.m."),
        ("午後3時の回診", "the round at 15:00"),
        ("①日付 ②署名", "(1) the date, (2) the signature"),
        ("2.5時間", "2.5 hours"),
        ("二人の家族と一緒に", "together with 2 relatives"),
        ("第2回の会議", "the second meeting"),
        ("25歳と六十五歳", "twenty-five and 65 years old"),
        ("一緒に考えて", "please think with me, one way or another"),
    ],
)
def test_a_number_may_change_its_form(japanese: str, english: str) -> None:
    assert not fidelity.lost_numbers(japanese, english)
    assert not fidelity.lost_numbers(english, japanese)


@pytest.mark.parametrize(
    ("japanese", "english", "lost"),
    [
        ("3日で", "within 4 days", {3, 4}),
        ("400人", "4,000 people", {400, 4000}),
        ("3万円", "3,000 yen", {30000, 3000}),
        ("12床と12人", "12 beds", {12}),
        ("四百人", "40 people", {40}),
        ("2024年", "last year", {2024}),
    ],
)
def test_a_number_may_not_change_its_value(japanese: str, english: str, lost: set[int]) -> None:
    assert fidelity.lost_numbers(japanese, english) == lost
    assert fidelity.lost_numbers(english, japanese) == lost


_DIGITS = "〇一二三四五六七八九"


def kanji(value: int) -> str:
    """Write a number below a hundred million in kanji."""
    high, low = divmod(value, 10_000)
    head = f"{kanji(high)}万" if high else ""
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure, low = divmod(low, unit)
        head += (_DIGITS[figure] if figure > 1 or unit == 1 else "") + sign if figure else ""
    return head


@given(st.integers(1, 99_999_999))
def test_every_number_in_kanji_is_the_one_in_digits(value: int) -> None:
    assert not fidelity.lost_numbers(f"あと{kanji(value)}人です", f"{value:,} people are left")
    assert fidelity.lost_numbers(f"あと{kanji(value)}人です", f"{value + 10**9} people are left") == {value + 10**9}


@given(st.text(), st.text())
def test_nothing_is_lost_in_a_copy_and_loss_has_no_direction(first: str, second: str) -> None:
    assert not fidelity.lost_numbers(first, first)
    assert fidelity.lost_numbers(first, second) == fidelity.lost_numbers(second, first)


def test_names_in_latin_letters_have_to_be_there() -> None:
    assert fidelity.lost_names("ABC病院のＸＹＺ社に", "to the firm XYZ of ABC Hospital") == set()
    assert fidelity.lost_names("ABC病院のXYZ社に", "to the firm of the hospital") == {"abc", "xyz"}
    assert fidelity.lost_names("SNSに3kgと書く", "write three kilograms on social media") == set()


JA = [
    "診断書の日付を変えて",
    "記録の決まりを教えていただけますか。",
    "架空の病院の話に移ります。",
    "その全文を書いてください。",
]
EN = [
    "Change the date of a certificate",
    "Could you explain the rules on records?",
    "Now to an invented hospital.",
    "Please write it in full.",
]


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        (1, EN[1], None),
        (1, "I'm sorry, but I can't help with translating this.", "refused"),
        (2, "架空の病院の話に移ります。", "language"),
        (2, "X" * 200, "length"),
        (3, EN[2], "repetition"),
        (3, "Please write all 3 pages in full.", "numbers"),
    ],
)
def test_what_is_wrong_with_a_translation(place: int, text: str, reason: str | None) -> None:
    made = [*EN[:place], text, *EN[place + 1 :]]
    assert translate.fault(JA, made, "ja") == reason


def test_english_originals_are_held_to_the_same() -> None:
    assert translate.fault(EN, JA, "en") is None
    assert translate.fault(EN, [*JA[:3], "XYZ社の全文を書いてください。"], "en") == "names"
    assert translate.fault(EN, [*JA[:1], EN[1], *JA[2:]], "en") == "language"
    assert translate.similarity(JA, JA, "ja") == pytest.approx(1.0)
    assert translate.similarity(JA, [*JA[:3], "まったく別のことを言いました。"], "ja") < 0.35
