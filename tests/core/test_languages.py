"""Languages as folders: what is there, what one lacks, and words that stay what they were."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

import jmedethic_pytest
from jmedethic_pytest.attack import prompt as attack
from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.exam import sitting
from jmedethic_pytest.judging import prompt, refusal, rubric
from jmedethic_pytest.models.prompts import Prompts

_SHIPPED = Path(jmedethic_pytest.__file__).parent / "data" / "locales"
Own = Callable[[str], Path]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Own]:
    """Return ``own(tag)``, which makes a language of one's own by copying files, and returns its folder."""
    monkeypatch.setenv(languages.VARIABLE, str(tmp_path))

    def make(tag: str) -> Path:
        shutil.copytree(_SHIPPED / "en", tmp_path / tag)
        languages._folders_in.cache_clear()
        return tmp_path / tag

    yield make
    for cached in (languages._folders_in, languages.table, languages._language):
        cached.cache_clear()


def test_words_of_japanese_and_english_are_those_of_the_versions_before() -> None:
    """Recorded before the two columns of every table became folders: older scores stay comparable."""
    assert prompt.digest("item").startswith("7c681516864f2fa9")
    assert prompt.digest("paper").startswith("6ff06099f66243a6")
    assert refusal.digest().startswith("aa4d7d55c3ff00eb")
    assert attack.texts().digest.startswith("0ead88f8f07adf33")
    assert sitting.prompt_digest().startswith("a08116e5d4f0cb2e")
    assert files.compact_digest(rubric.whole()).startswith("ad6e9494aeb935b7")
    assert Prompts("generation/questions").digest.startswith("9761b25d59badb2f")
    assert Prompts("generation/discover").digest.startswith("4f94d0f9cc1fe0e9")


def test_only_a_run_in_another_language_has_other_prompts(own: Own) -> None:
    before = prompt.digest("item", ["ja"]), prompt.digest("paper", ["en", "ja"])
    own("eo")
    assert languages.tags() == ("ja", "en", *sorted({"eo", *languages.tags()[2:]}))
    assert before == (prompt.digest("item"), prompt.digest("paper"))
    assert prompt.digest("item", ["eo"]) not in before
    assert prompt.digest("paper", ["eo"]) not in before
    languages.table.cache_clear()
    words = (_SHIPPED / "en" / "judge_item.toml").read_text("utf-8")
    (Path(str(languages._folders()["eo"])) / "judge_item.toml").write_text(words.replace("reviewer", "judge"), "utf-8")
    assert prompt.digest("item", ["eo"]) != prompt.digest("item")


def test_what_is_not_there_is_said_with_what_is_and_how_to_add_it(own: Own) -> None:
    (own("eo") / "attack_prompt.toml").unlink()
    with pytest.raises(
        ConfigError, match=r"'eo': has no attack_prompt\.toml.*ja, en, de have it.*Write .*eo/attack_prompt"
    ):
        attack.texts().text("next", "eo")
    with pytest.raises(ConfigError, match=r"'fr': not there\. Languages: ja, en.*fr/ with language\.toml"):
        languages.of("fr")
    assert languages.lack("eo", "judge_item.toml") == ""


def test_a_bad_folder_is_named(own: Own, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = own("eo")
    folder.joinpath("language.toml").write_text('name_en = "Esperanto"\nscirpt = "kana"\n')
    with pytest.raises(ConfigError, match=r"eo.language\.toml: unknown field 'scirpt'"):
        languages.of("eo")
    folder.rename(tmp_path / "Esperanto")
    languages._folders_in.cache_clear()
    with pytest.raises(ConfigError, match="'Esperanto' is no tag of a language"):
        languages.tags()
    monkeypatch.setenv(languages.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"JMEDETHIC_LOCALES: .*nowhere is no folder"):
        languages.tags()


@pytest.mark.parametrize("tag", ["ja", "de", "pt-BR", "zh-Hant-TW", "es-419", "gsw"])
def test_tags_are_those_of_bcp_47(tag: str) -> None:
    assert TypeAdapter(languages.Locale).validate_python(tag) == tag
    assert languages.prefix(tag) == f"{tag.lower()}-"


@pytest.mark.parametrize("tag", ["", "DE", "deutsch", "de_DE", "de-", "../en"])
def test_nothing_else_is_a_tag(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(languages.Locale).validate_python(tag)
    with pytest.raises(ValidationError, match="Languages: ja, en"):
        TypeAdapter(languages.Present).validate_python("xx")
