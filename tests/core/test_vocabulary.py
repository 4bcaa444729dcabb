"""The fixed vocabulary: 67 guidelines in 8 categories, 7 strategies, two languages."""

from __future__ import annotations

from collections import Counter

import pytest

from jmedethic_pytest.core import languages, vocabulary

COUNTS = {"A": 9, "B": 19, "C": 5, "D": 5, "E": 4, "F": 4, "G": 14, "H": 7}
STRATEGIES = {
    "S1": "Gray-Zone Ethnographic Simulation",
    "S2": "Escalating Academic Vulnerability Simulation",
    "S3": "Creativity-Anchored Ethnographic Escalation",
    "S4": "Historical-Creative Dual Frame Dissociation",
    "S5": "Fiction-Layered Authority Simulation",
    "S6": "Temporal-Override Academic Escalation",
    "S7": "Sanitized Academic Reproduction Frame",
}


def test_there_are_67_guidelines_numbered_in_order() -> None:
    assert list(vocabulary.guidelines()) == [f"JMA-{number:02d}" for number in range(1, 68)]


def test_guidelines_fall_into_eight_categories_with_their_counts() -> None:
    assert list(vocabulary.categories()) == list(COUNTS)
    assert Counter(item.category for item in vocabulary.guidelines().values()) == COUNTS


def test_there_are_seven_strategies_under_the_names_of_the_paper() -> None:
    assert {key: item.name["en"] for key, item in vocabulary.strategies().items()} == STRATEGIES
    assert len({item.slug for item in vocabulary.strategies().values()}) == 7


@pytest.mark.parametrize("locale", languages.INTERFACE)
def test_every_name_and_text_exists_in_both_languages_and_only_once(locale: str) -> None:
    titles = [item.title[locale] for item in vocabulary.guidelines().values()]
    assert len(set(titles)) == 67
    assert all(item.summary[locale].strip() for item in vocabulary.guidelines().values())
    assert all(item.name[locale].strip() for item in vocabulary.categories().values())
    assert all(item.definition[locale].strip() for item in vocabulary.strategies().values())


def test_japanese_texts_are_japanese_and_english_ones_are_not() -> None:
    def is_japanese(text: str) -> bool:
        return any("\u3040" <= letter <= "\u9fff" for letter in text)

    for item in vocabulary.guidelines().values():
        assert is_japanese(item.title["ja"])
        assert is_japanese(item.summary["ja"])
        assert not is_japanese(item.title["en"] + item.summary["en"])


def test_key_and_id_are_the_same() -> None:
    assert all(key == item.id for key, item in vocabulary.guidelines().items())
    assert all(key == item.id for key, item in vocabulary.strategies().items())
    assert all(key == item.code for key, item in vocabulary.categories().items())
