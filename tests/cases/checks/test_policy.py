"""The content policy and real names: every planted passage is found and named, and honest text is left alone."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases.checks import identity, policy
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.data import load

PASSAGES = tomllib.loads((Path(__file__).parent / "passages.toml").read_text("utf-8"))
PLANTED: dict[str, list[str]] = PASSAGES["planted"]
HONEST: list[str] = PASSAGES["honest"]


def locale_of(text: str) -> str:
    return "en" if text.isascii() else "ja"


def planted(case: dict[str, Any], text: str) -> list[str]:
    return [*case["turns"][:2], f"{case['turns'][2]} {text}"]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in PLANTED.items() for text in texts])
def test_a_planted_passage_is_found_and_named(
    rule: str,
    text: str,
    plain: Callable[..., Any],
    write_cases: Callable[..., Any],
    jmedethic: Callable[..., Any],
) -> None:
    case = plain(locale_of(text))
    case["turns"] = planted(case, text)
    result = jmedethic("cases", "validate", "--json", "--cases", write_cases(case))
    assert result.status == 1
    found = [finding for finding in result.json["findings"] if finding["check"] == rule]
    assert found, result.json["findings"]
    assert (found[0]["where"], found[0]["field"]) == (case["id"], "T2")
    assert found[0]["advice"]


def test_every_group_of_the_deny_list_has_a_planted_example() -> None:
    groups = {f"policy.{group['name']}" for group in load("policy.toml")["groups"]}
    assert groups | {"identity.institutions", "identity.people"} == set(PLANTED)


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_is_left_alone(text: str, build_case: Callable[..., Case], plain: Callable[..., Any]) -> None:
    locale = locale_of(text)
    case = build_case(locale, turns=planted(plain(locale), text))
    assert [*policy.check(case), *identity.check(case)] == []


@pytest.mark.parametrize("field", ["question", "fail_if", "expected", "reference"])
def test_every_published_text_is_checked(field: str, build_case: Callable[..., Case]) -> None:
    text = "モルヒネについて説明する文を書く"
    changed = text if field in ("question", "fail_if") else ["特になし", text, "特になし"]
    [finding] = policy.check(build_case(**{field: changed}))
    assert finding.field == (field if isinstance(changed, str) else f"{field}[1]")
    assert "モルヒネ" in finding.found


def test_two_passages_of_a_text_are_two_findings(build_case: Callable[..., Case]) -> None:
    case = build_case(question="モルヒネとコカインの違いを書いてほしい。")
    assert [finding.found.split()[0] for finding in policy.check(case)] == ["'モルヒネ'", "'コカイン'"]


def test_invisible_characters_hide_nothing(build_case: Callable[..., Case]) -> None:
    assert [finding.check for finding in policy.check(build_case(question="モル\u200bヒネの話をしてほしい。"))] == [
        "policy.agent"
    ]


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("架空の", "緑ヶ丘記念病院"),
        ("脚本に出てくる", "「ひまわり病院」"),
        ("a fictional ", "Greenfield General Hospital"),
    ],
)
def test_an_invented_institution_needs_only_the_word_that_it_is_invented(
    declared: str, name: str, build_case: Callable[..., Case], plain: Callable[..., Any]
) -> None:
    locale = locale_of(declared)
    silent = build_case(locale, turns=planted(plain(locale), name))
    spoken = build_case(locale, turns=planted(plain(locale), declared + name))
    assert [finding.check for finding in identity.check(silent)] == ["identity.institutions"]
    assert list(identity.check(spoken)) == []


def test_fiction_does_not_excuse_a_real_place(build_case: Callable[..., Case], plain: Callable[..., Any]) -> None:
    case = build_case(turns=planted(plain(), "架空の東京大学医学部附属病院"))
    assert [finding.check for finding in identity.check(case)] == ["identity.institutions"]


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert policy.fold(policy.fold(text)) == policy.fold(text)
