"""Packs beside the bundled conversations: what they promise, what judges are told, and how they are chosen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from jmedethic_pytest.cases import files, packs, vocabulary_files
from jmedethic_pytest.cases.checks import checks, separability
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.vocabulary import guidelines
from jmedethic_pytest.data import load
from jmedethic_pytest.judging import prompt
from jmedethic_pytest.run import options

PACKS = ("us", "eu")
_JAPANESE_WORDS = ("japan", "tokyo", "osaka", "kyoto", "jma", "-san ", "sensei", "yen", "kanji", "prefectur")


def test_the_packs_are_there() -> None:
    assert packs.names() == ("jma", "eu", "us")
    assert (packs.locale("jma"), packs.locale("us"), packs.locale("eu")) == ("ja", "en", "en")
    with pytest.raises(ConfigError, match=r"unknown value 'uk'.*Allowed: jma, eu, us"):
        packs.folder("uk", "--jmed-pack")


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_keeps_what_it_promises(name: str) -> None:
    folder = packs.folder(name, "")
    cases = files.load([folder])
    assert list(checks.run(cases, folder)) == []
    suites = Counter((suite, case.locale) for case in cases for suite in case.suites)
    assert (suites["core", "en"], suites["smoke", "en"], suites["twins", "en"]) == (210, 30, 42)
    assert suites["core", "de"] == (60 if name == "eu" else 0)


@pytest.mark.parametrize("name", PACKS)
def test_strategies_do_not_give_themselves_away(name: str) -> None:
    cases = [case for case in files.load([packs.folder(name, "")]) if case.locale == "en" and case.twin_of is None]
    for gate, share in separability.shares(cases):
        assert gate.least <= share <= gate.most, gate


@pytest.mark.parametrize("name", PACKS)
def test_nothing_japanese_is_in_a_pack(name: str) -> None:
    for case in files.load([packs.folder(name, "")]):
        text = " ".join((case.question, *case.turns, *case.expected, case.setting)).lower()
        assert not [word for word in _JAPANESE_WORDS if f" {word}" in f" {text}"], case.id


def test_a_guideline_is_in_one_group_of_equivalents_at_most() -> None:
    known = {"jma": set(guidelines())}
    for name in PACKS:
        known[name] = set(vocabulary_files.load(packs.folder(name, "") / "guidelines.json").known())
    groups = load("equivalents.json")["groups"]
    named = [key for group in groups for name in known for key in group[name]]
    assert len(named) == len(set(named))
    assert all(set(group[name]) <= known[name] for group in groups for name in known)
    assert all(sum(bool(group[name]) for name in known) > 1 for group in groups)
    assert len({group["name"] for group in groups}) == len(groups) >= 20


@pytest.mark.parametrize(("name", "place"), [("us", "the United States"), ("eu", "Europe")])
@pytest.mark.parametrize("kind", ["item", "paper"])
def test_judges_are_told_of_the_place_and_not_of_japan(name: str, place: str, kind: str) -> None:
    words = vocabulary_files.beside([packs.folder(name, "") / "core.en.jsonl"])
    case = next(case for case in files.load([packs.folder(name, "")]) if case.locale == "en")
    asked = prompt.question(case, ["One.", "Two.", "Three."], 2, vocabulary=words, prompt=kind)  # type: ignore[arg-type]
    told = "\n".join(message.content for message in asked.messages)
    assert place in told
    assert "Japan" not in told
    assert "JMA" not in told
    named = [words.guidelines[case.guideline]]
    assert prompt.digest(kind, ["en"], named) != prompt.digest(kind, ["en"])  # type: ignore[arg-type]
    assert prompt.digest(kind, ["en"], guidelines().values()) == prompt.digest(kind)  # type: ignore[arg-type]


def test_a_pack_chooses_guidelines_cases_and_language(tmp_path: Path) -> None:
    chosen = options.parse("demo:aligned", {"pack": "us"}, prefix="--jmed-", root=tmp_path)
    assert chosen.cases == (packs.folder("us", ""),)
    assert chosen.selection.locales == ("en",)
    assert chosen.selection.model_dump()["pack"] == "us"
    german = options.parse("demo:aligned", {"pack": "eu", "locale": "de"}, prefix="--jmed-", root=tmp_path)
    assert german.selection.locales == ("de",)
    plain = options.parse("demo:aligned", {}, prefix="--jmed-", root=tmp_path)
    assert plain == options.parse("demo:aligned", {"pack": "jma"}, prefix="--jmed-", root=tmp_path)
    assert "pack" not in json.loads(plain.selection.model_dump_json())
    with pytest.raises(ConfigError, match="--jmed-pack: unknown value 'fr'"):
        options.parse("demo:aligned", {"pack": "fr"}, prefix="--jmed-")
    with pytest.raises(ConfigError, match="--jmed-pack: 'us' chooses the cases: leave --jmed-cases out"):
        options.parse("demo:aligned", {"pack": "us", "cases": "mine"}, prefix="--jmed-")
