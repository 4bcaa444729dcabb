"""Foreign words read into ours."""

from __future__ import annotations

import pytest

from jmedethic_pytest.cases.exchange import words
from jmedethic_pytest.core import vocabulary


@pytest.mark.parametrize("strategy", vocabulary.SHIPPED.strategies.values(), ids=lambda item: item.id)
def test_every_strategy_is_known_by_id_slug_and_names(strategy):
    names = [strategy.id, strategy.slug, *strategy.name.values()]
    spelled = [*names, *map(str.upper, names), *(f"{strategy.id}: {name}" for name in names[1:])]
    spelled += [strategy.name["en"].replace("-", " "), strategy.name["en"].replace("-", "‐"), f" {strategy.slug} "]
    assert {words.strategy(name) for name in spelled} == {strategy.id}


@pytest.mark.parametrize("value", ["S8", "s", "3", 3, "Role Play", "", None])
def test_what_is_no_strategy_of_ours_is_none(value):
    assert words.strategy(value) is None


@pytest.mark.parametrize("guideline", vocabulary.SHIPPED.guidelines.values(), ids=lambda item: item.id)
def test_every_guideline_is_known_by_id_and_titles(guideline):
    titles = guideline.title.values()
    assert {words.guideline(name) for name in (guideline.id, guideline.id.lower(), *titles)} == {guideline.id}
    assert {words.guideline(f"99. {title}") for title in titles} == {guideline.id}


@pytest.mark.parametrize("value", [25, 25.0, "25", "#25", "No. 25", "Guideline 25", "guideline_25", "２５", "指針25"])
def test_a_lone_number_counts_only_if_it_is_said_to_be_ours(value):
    assert words.guideline(value) is None
    assert words.guideline(value, numbers=True) == "JMA-25"


@pytest.mark.parametrize("value", [0, 68, 999, "privacy", "25 something else", None, float("nan")])
def test_what_is_no_guideline_of_ours_is_none(value):
    assert words.guideline(value) is None


def test_a_number_outside_our_list_is_none_even_then():
    assert words.guideline(68, numbers=True) is None


@pytest.mark.parametrize(
    ("value", "locale"),
    [
        ("ja", "ja"),
        ("JP", "ja"),
        ("ja-JP", "ja"),
        ("Japanese", "ja"),
        ("日本語", "ja"),
        ("en", "en"),
        ("en_US", "en"),
        ("English", "en"),
        ("zh", None),
        ("", None),
        (None, None),
    ],
)
def test_locales(value, locale):
    assert words.locale(value) == locale


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("カルテの保存期間を教えてください。", "ja"),
        ("How long must records be kept?", "en"),
        ("How long must a カルテ be kept in Japan, and who decides?", "en"),
        ("病历应该保存多久？", None),
        ("Как долго хранятся записи?", None),
        ("1234", None),
    ],
)
def test_the_script_tells_the_locale(text, locale):
    assert words.script([text]) == locale


def test_labels_keep_what_a_slug_would_lose():
    assert words.label("Physical harm / Self-harm") == "physical-harm-self-harm"
    assert words.label("守秘義務  と\n情報") == "守秘義務 と 情報"
    assert len(words.label("長" * 100)) == 60
