"""Guideline packs: other lists of guidelines than the shipped one, for building cases and for evaluating them.

A pack is a JSON file of the same form as ``data/guidelines.json``. A file ``guidelines.json`` beside case files brings
the guidelines those cases may name, and ``strategies.json`` (the form of ``data/strategies.json``) the strategies, so
that the cases can be selected, judged and reported. A run records the words it used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, explain_validation
from jmedethic_pytest.core.records import Text
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.core.vocabulary import SHIPPED as SHIPPED_WORDS
from jmedethic_pytest.core.vocabulary import Category, Guideline, Strategy, Vocabulary

FILE = "guidelines.json"
STRATEGIES_FILE = "strategies.json"
SHIPPED = ("project", "principles")
"""Packs that come with the package: the 67 topics, and ten widely shared principles."""
ID_PATTERN = r"^[A-Z][A-Z0-9]{0,11}-[0-9]{1,3}$"
_LONGEST_NAME = 200
CODE_PATTERN = r"^[A-Z][A-Z0-9]{0,7}$"


_OF_LANGUAGE = re.compile(r"^(name|title|summary|definition)_([a-z]{2,3}(?:-[A-Za-z0-9-]+)?)$")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    words: dict[str, dict[str, Text]] = {}
    """Texts in other languages than those of the interface, by ``title``, ``summary``, ``name`` and language; in the
    file they stand as ``title_de``."""

    @model_validator(mode="before")
    @classmethod
    def _other_languages(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        found: dict[str, Any] = {}
        words: dict[str, dict[str, Any]] = {}
        for key, value in given.items():
            match = _OF_LANGUAGE.match(key)
            if match and key not in cls.model_fields and f"{match[1]}_en" in cls.model_fields:
                words.setdefault(match[1], {})[match[2]] = value
            else:
                found[key] = value
        return {**found, **({"words": words} if words else {})}


class PackCategory(_Entry):
    """A group of guidelines; a name in one language is enough."""

    code: Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
    name_ja: Text | None = None
    name_en: Text | None = None
    count: int | None = None


class PackGuideline(_Entry):
    """One guideline; title and summary in one language are enough."""

    id: Annotated[str, StringConstraints(pattern=ID_PATTERN)]
    category: str
    title_ja: Text | None = None
    title_en: Text | None = None
    summary_ja: Text | None = None
    summary_en: Text | None = None
    related_law: tuple[str, ...] = ()
    number: int | None = None
    chapter_ja: str = ""
    chapter_en: str = ""
    source: tuple[str, ...] = ()
    official_number: bool | None = None
    check: str = ""
    """What an expert should verify, and where."""
    official: bool = False
    """Whether somebody with the right to say so has approved it; nobody has of the shipped ones."""
    notes: str = ""


class Pack(_Entry):
    """A list of guidelines in groups."""

    schema_version: Literal[1] = 1
    about: dict[str, Any] = Field(default={}, alias="_about")
    categories: tuple[PackCategory, ...] = Field(min_length=1)
    guidelines: tuple[PackGuideline, ...] = Field(min_length=1)
    code_of_ethics: dict[str, Any] = {}
    """Background of the shipped list."""
    place: dict[str, Text] = {}
    """Where its guidelines hold, by language; empty of the shipped list, which is for Japan. Judges are told it."""

    def known(self) -> dict[str, Guideline]:
        """Return the guidelines by id; a text missing in one language is taken from the other."""
        return {
            item.id: Guideline(
                id=item.id,
                category=item.category,
                title=_names(item.title_ja, item.title_en, item.words.get("title", {})),
                summary=_both(item.summary_ja, item.summary_en, item.words.get("summary", {})),
                related_law=item.related_law,
                place=self.place,
            )
            for item in self.guidelines
        }

    def groups(self) -> dict[str, Category]:
        """Return the categories by code."""
        return {
            item.code: Category(code=item.code, name=_names(item.name_ja, item.name_en, item.words.get("name", {})))
            for item in self.categories
        }


class PackStrategy(_Entry):
    """One strategy; name and definition in one language are enough. Notes of its discovery are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{1,2}$")]
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]
    name_ja: Text | None = None
    name_en: Text | None = None
    definition_ja: Text | None = None
    definition_en: Text | None = None

    @model_validator(mode="after")
    def _one_language(self) -> Self:
        if not (self.name_ja or self.name_en) or not (self.definition_ja or self.definition_en):
            raise ValueError(f"strategy {self.id!r}: give name and definition in at least one language")
        return self

    def known(self) -> Strategy:
        """Return the strategy; a text missing in one language is taken from the other."""
        return Strategy(
            id=self.id,
            slug=self.slug,
            name=_names(self.name_ja, self.name_en, self.words.get("name", {})),
            definition=_both(self.definition_ja, self.definition_en, self.words.get("definition", {})),
        )


class _StrategyFile(BaseModel):
    strategies: tuple[PackStrategy, ...] = Field(min_length=1)


def shipped(name: str) -> Pack:
    """Return a pack that comes with the package (one of :data:`SHIPPED`)."""
    return strict_json.record(Pack, text(name))


def text(name: str) -> str:
    """Return the file of a shipped pack."""
    file = "guidelines.json" if name == "project" else f"guideline_packs/{name}.json"
    return resources.files("jmedethic_pytest.data").joinpath(file).read_text(encoding="utf-8")


def load(path: Path) -> Pack:
    """Read a pack.

    Raises:
        ConfigError: naming everything that is wrong with the file.
    """
    try:
        data = files.read(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Give a JSON file of guidelines.") from None
    try:
        pack = strict_json.record(Pack, data)
    except ValidationError as error:
        raise ConfigError(
            explain_validation(error, str(path), [*PackGuideline.model_fields, *Pack.model_fields])
        ) from None
    problems = list(_problems(pack, str(path)))
    if problems:
        raise ConfigError(problems)
    return pack


def load_strategies(path: Path) -> dict[str, Strategy]:
    """Read a file of strategies.

    Raises:
        ConfigError: naming everything that is wrong with the file.
    """
    try:
        found = strict_json.record(_StrategyFile, files.read(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Give a JSON file of strategies.") from None
    except ValidationError as error:
        raise ConfigError(explain_validation(error, str(path), list(PackStrategy.model_fields))) from None
    return {item.id: item.known() for item in found.strategies}


def beside(case_files: Iterable[Path]) -> Vocabulary:
    """Return the words that cases of these files may use: the shipped ones, and those that lie beside the files.

    Raises:
        ConfigError: if a file is bad, or an id has two meanings.
    """
    found = SHIPPED_WORDS
    for folder in dict.fromkeys(file.parent for file in case_files):
        guidelines, strategies = folder / FILE, folder / STRATEGIES_FILE
        if guidelines.is_file():
            pack = load(guidelines)
            found = found.with_own(Vocabulary(pack.known(), pack.groups()), str(guidelines))
        if strategies.is_file():
            found = found.with_own(Vocabulary(own_strategies=load_strategies(strategies)), str(strategies))
    return found


def _problems(pack: Pack, place: str) -> Iterable[str]:
    codes = [item.code for item in pack.categories]
    ids = [item.id for item in pack.guidelines]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield f"{place}: category {code!r} is there {codes.count(code)} times."
    for key in sorted({key for key in ids if ids.count(key) > 1}):
        yield f"{place}: guideline {key!r} is there {ids.count(key)} times."
    for item in pack.categories:
        if not (item.name_ja or item.name_en):
            yield f"{place}: category {item.code!r}: give name_ja or name_en."
    for entry in pack.guidelines:
        if entry.category not in codes:
            yield f"{place}: guideline {entry.id!r}: category {entry.category!r} is none of: {', '.join(codes)}."
        if not (entry.title_ja or entry.title_en):
            yield f"{place}: guideline {entry.id!r}: give title_ja or title_en."
        if not (entry.summary_ja or entry.summary_en):
            yield f"{place}: guideline {entry.id!r}: give summary_ja or summary_en: judges are told it."


def _names(japanese: str | None, english: str | None, more: Mapping[str, str]) -> dict[str, str]:
    """Return a name by language, as it can stand in a table: on one line, with nothing hidden in it."""
    return {locale: one_line(text, _LONGEST_NAME) for locale, text in _both(japanese, english, more).items()}


def _both(japanese: str | None, english: str | None, more: Mapping[str, str]) -> dict[str, str]:
    return {"ja": japanese or english or "", "en": english or japanese or "", **more}
