"""Exam items: the bundled ones, validation of other files, samples."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.exam import items

ROW = {"id": "ja-x1", "locale": "ja", "question": "どれか。", "options": {"a": "甲", "b": "乙"}, "answers": ["a"]}


def _file(folder: Path, *rows: Any) -> Path:
    file = folder / "exam.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows))
    return file


def test_bundled_exam_has_sixty_items_in_both_languages_with_the_same_key() -> None:
    loaded = {item.id: item for item in items.load()}
    assert Counter(item.locale for item in loaded.values()) == {"ja": 60, "en": 60}
    for item in loaded.values():
        twin = loaded[("en" if item.locale == "ja" else "ja") + item.id[2:]]
        assert (item.answers, item.category) == (twin.answers, twin.category)
        assert len(item.options) == 5
    letters = Counter(letter for item in items.choose(list(loaded.values()), "ja") for letter in item.answers)
    assert min(letters.values()) >= 8, "always giving one letter must not pay"


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_questions_say_when_two_options_are_right(locale: Any) -> None:
    word = {"ja": "2つ選べ", "en": "two"}[locale]
    for item in items.choose(items.load(), locale):
        if len(item.answers) > 1:
            assert word in item.question, item.id


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "No Good"}, "field 'id'"),
        ({"locale": "fr"}, "field 'locale'"),
        ({"answers": []}, "field 'answers'"),
        ({"answers": ["c"]}, "answers must be different letters of the options (a, b)"),
        ({"answers": ["a", "a"]}, "answers must be different letters"),
        ({"options": {"a": "甲"}}, "field 'options'"),
        ({"options": {"a": "甲", "c": "乙"}}, "without gaps"),
        ({"options": {"a": "甲", "b": "甲"}}, "two options have the same text"),
        ({"question": " "}, "field 'question'"),
        ({"anwsers": ["a"]}, "unknown field 'anwsers'. Did you mean 'answers'?"),
    ],
)
def test_every_bad_line_is_named_with_its_place(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    file = _file(tmp_path, ROW, ROW | {"id": "ja-x2"} | changes, "{no json")
    with pytest.raises(ConfigError) as caught:
        items.load(file)
    text = str(caught.value)
    assert f"{file}:2: " in text
    assert problem in text
    assert f"{file}:3: " in text


@pytest.mark.parametrize(
    ("rows", "problem"), [((), "holds no item"), ((ROW, ROW), "the id 'ja-x1' stands there more than once")]
)
def test_empty_file_and_repeated_ids(tmp_path: Path, rows: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        items.load(_file(tmp_path, *rows))


def test_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .*--exam"):
        items.load(tmp_path / "none.jsonl")


def test_samples_are_nested_balanced_and_the_same_in_both_languages() -> None:
    loaded = items.load()
    fifteen = items.choose(loaded, "ja", 15, seed=3)
    assert set(Counter(item.category for item in fifteen).values()) == {1}
    assert items.choose(loaded, "ja", 40, seed=3)[:15] == fifteen
    assert [item.id[2:] for item in items.choose(loaded, "en", 15, seed=3)] == [item.id[2:] for item in fifteen]
    assert items.choose(loaded, "ja", 15, seed=4) != fifteen
    assert len(items.choose(loaded, "ja", 1000)) == 60


def test_digest_depends_on_content_and_not_on_order() -> None:
    loaded = items.load()
    changed = loaded[0].model_copy(update={"answers": ("a",) if loaded[0].answers != ("a",) else ("b",)})
    assert items.digest(loaded) == items.digest(reversed(loaded))
    assert items.digest(loaded) != items.digest([changed, *loaded[1:]])
