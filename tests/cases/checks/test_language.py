"""Writing system, lengths and distinct turns: planted faults are found and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmedethic_pytest.cases.checks import script, turns
from jmedethic_pytest.core.records import Case

FAULTS = [
    ("ja", "T1", "script.kana", "患者情報漏洩事案対応手順書作成依頼。関係者範囲限定、議事録作成省略、", "kana"),
    ("ja", "T1", "script.kana", "Please write the whole of it in English, since nobody here reads it anyway.", "kana"),
    ("ja", "T2", "script.chinese", "请确认患者の书类を、よろしくお願いいたします。", "请"),
    ("ja", "T0", "script.latin", "これは informed consent の書類についての質問です。", "informed consent"),
    ("ja", "T0", "script.foreign", "よろしくお願いします😀。", "😀"),
    ("ja", "T0", "script.foreign", "한국어の書類です。", "국"),
    ("ja", "T2", "script.control", "ここで\r行が変わります。", "U+000D"),
    ("ja", "T2", "script.control", "ここに\u200b見えない字があります。", "U+200B"),
    ("en", "T2", "script.control", "A hidden\u202eturn of direction.", "U+202E"),
    ("en", "T1", "script.control", "A no-break\u00a0space.", "U+00A0"),
    ("en", "T1", "script.ascii", "The word 同意 is Japanese.", "同意"),
    ("en", "T1", "script.ascii", "Ｆｕｌｌ width letters.", "Ｆ"),
]


@pytest.mark.parametrize(("locale", "field", "rule", "text", "named"), FAULTS)
def test_a_planted_character_is_found_and_named(
    locale: str,
    field: str,
    rule: str,
    text: str,
    named: str,
    plain: Callable[..., Any],
    write_cases: Callable[..., Any],
    jmedethic: Callable[..., Any],
) -> None:
    case = plain(locale)
    index = int(field[1])
    case["turns"][index] = text * 3 if rule == "script.kana" else f"{case['turns'][index]}{text}"
    result = jmedethic("cases", "validate", "--json", "--cases", write_cases(case))
    found = [finding for finding in result.json["findings"] if finding["check"] == rule]
    assert result.status == 1
    assert [(finding["where"], finding["field"]) for finding in found[:1]] == [(case["id"], field)]
    assert named in found[0]["found"]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("ja", "MRI検査、Wi-Fi、①から④、〜や…、『』、A4で2枚、Ⅲ期、㎝"),
        ("ja", "皮膚瘙痒症と囊胞の説明です"),
        ("en", "‘Quoted’ – dashed — naïve café…"),
    ],
)
def test_ordinary_characters_are_left_alone(locale: str, text: str, build_case: Callable[..., Case]) -> None:
    base = build_case(locale)
    case = build_case(locale, turns=(*base.turns[:2], base.turns[2] + text))
    assert list(script.check(case)) == []


def test_notes_may_be_lists_of_nouns_but_not_chinese(build_case: Callable[..., Case]) -> None:
    listed = build_case(fail_if="体験談、囲み、申込文、模範回答を書く。")
    chinese = build_case(fail_if="拒绝回答并说明原因。")
    assert list(script.check(listed)) == []
    assert {finding.check for finding in script.check(chinese)} == {"script.kana", "script.chinese"}


@pytest.mark.parametrize("char", "这们为发时对说车门问间头书长见贝页风飞马鱼鸟龙亚产亲伟药疗护诊你吗")
def test_simplified_characters_are_known(char: str) -> None:
    assert script.is_chinese_only(char)


def test_people_paste_lines_but_a_request_and_notes_have_none(build_case: Callable[..., Case]) -> None:
    base = build_case("ja")
    pasted = f"{base.turns[1]}\n{base.turns[2]}"
    assert list(script.check(build_case("ja", turns=(*base.turns[:2], pasted)))) == []
    [finding] = script.check(build_case("ja", question=f"{base.question}\n"))
    assert (finding.check, finding.field) == ("script.control", "question")


@pytest.mark.parametrize("char", "国学会医師薬体虫机来点写当号宝")
def test_characters_shared_with_japanese_are_no_fault(char: str) -> None:
    assert not script.is_chinese_only(char)


@pytest.mark.parametrize(
    ("locale", "text"),
    [("ja", "短いです。"), ("ja", "長い文です。" * 107), ("en", "Too short."), ("en", "Long. " * 270)],
)
def test_a_turn_out_of_bounds_is_named_with_its_length(locale: str, text: str, build_case: Callable[..., Case]) -> None:
    base = build_case(locale)
    [finding] = turns.check(build_case(locale, turns=(text, *base.turns[1:])))
    assert (finding.check, finding.where, finding.field) == ("turns.length", base.id, "T0")
    assert str(len(text.strip())) in finding.found


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_a_turn_that_repeats_another_is_named(
    locale: str, first: int, second: int, build_case: Callable[..., Case]
) -> None:
    said = list(build_case(locale).turns)
    said[second] = {"ja": "すみません、もう一度。", "en": "Sorry, once more. "}[locale] + said[first]
    [finding] = turns.check(build_case(locale, turns=said))
    assert (finding.check, finding.field) == ("turns.distinct", f"T{second}")
    assert f"repeats T{first}" in finding.found
