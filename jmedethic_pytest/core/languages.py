"""The languages of conversations: a BCP-47 tag each, and a folder of files that hold all that differs between them.

``ja`` and ``en`` come with the package (``data/locales``), perhaps others; further ones lie in the folders that the
environment variable ``JMEDETHIC_LOCALES`` names. A folder ``<tag>/`` with a ``language.toml`` is a language. What else
it holds decides what can be done in it: what is not there is refused in words, and never taken from another language.

The interface (pages, terminal, names of guidelines) speaks ``ja`` and ``en`` only (:data:`INTERFACE`).
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from jmedethic_pytest import data
from jmedethic_pytest.core.errors import ConfigError, explain_validation

Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")]
"""The tag of a language: ``ja``, ``de``, ``pt-BR``. Whether there is such a language, :func:`tags` says."""
INTERFACE: tuple[Locale, ...] = ("ja", "en")
"""Languages of pages and terminal; every text for users exists in both."""
VARIABLE = "JMEDETHIC_LOCALES"
"""Environment variable with folders of further languages; other processes of a run inherit it."""
FILE = "language.toml"
_GUIDE = "docs/how-to/other-guidelines.md"


class Language(BaseModel):
    """What is known of a language as such (``language.toml``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name_en: str
    name_ja: str
    called: tuple[str, ...]
    """Words by which other data sets name it, in lower case."""
    script: Literal["kana", "alphabet"]
    """``kana`` is Japanese; of an alphabet ``characters`` says what belongs to it."""
    characters: str = ""
    """Pattern of one character that a text may hold."""
    letters: str
    """Pattern of one letter of its script ..."""
    least_letters: Annotated[float, Field(gt=0, le=1)]
    """... and the share of a text's letters from which on the text passes for its own."""
    common_words: tuple[str, ...] = ()
    """Frequent little words that tell it from others of its script; without any it is told by letters alone ..."""
    least_common: Annotated[float, Field(ge=0, le=1)] = 0.0
    """... and their least share of the words of a text of some length."""
    turn_characters: tuple[int, int]
    """Least and most characters of a user turn."""
    component_characters: int
    """Most characters of a component."""
    gram: Annotated[int, Field(ge=1)]
    """Characters of the n-grams by which conversations are compared ..."""
    short_gram: Annotated[int, Field(ge=1)]
    """... and single questions."""
    for_one_japanese: Annotated[float, Field(gt=0)]
    """Characters that say what one of Japanese says."""
    tokens_per_character: Annotated[float, Field(gt=0)]

    @cached_property
    def letter(self) -> re.Pattern[str]:
        """The pattern of a letter, compiled."""
        return re.compile(self.letters)


def tags() -> tuple[Locale, ...]:
    """Return the languages there are: ``ja`` and ``en``, then the others by tag."""
    return tuple(_folders())


def in_order(used: set[str]) -> tuple[Locale, ...]:
    """Return these languages in the order of :func:`tags`; those that are not there come last."""
    return (*(tag for tag in tags() if tag in used), *sorted(used - set(tags())))


def of(tag: str) -> Language:
    """Return what is known of a language.

    Raises:
        ConfigError: if it is not there, or its file is bad.
    """
    return _language(tag)


def prefix(tag: str) -> str:
    """Return what the ids of its cases begin with: ``pt-br-``."""
    return f"{tag.lower()}-"


def interface(tag: str) -> Locale:
    """Return the language of the interface in which a conversation of a language is shown."""
    return tag if tag in INTERFACE else "en"


def has(tag: str, name: str) -> bool:
    """Tell whether a language has a file."""
    return tag in _folders() and _folders()[tag].joinpath(name).is_file()


def text(tag: str, name: str) -> str:
    """Read a file of a language.

    Raises:
        ConfigError: if the language or the file is not there; it says how to add it.
    """
    missing = lack(tag, name)
    if missing:
        raise ConfigError(missing)
    return _folders()[tag].joinpath(name).read_text(encoding="utf-8")


def lack(tag: str, name: str) -> str:
    """Return in words that a language lacks a file, and how to add it; empty if it is there."""
    if has(tag, name):
        return ""
    if tag not in _folders():
        return (
            f"language {tag!r}: not there. Languages: {', '.join(tags())}. Write a folder {tag}/ with {FILE}, name the "
            f"folder it lies in by the environment variable {VARIABLE}, and see {_GUIDE}."
        )
    others = [other for other in tags() if has(other, name)]
    return (
        f"language {tag!r}: has no {name}, which this needs; {', '.join(others)} have it. Write "
        f"{_folders()[tag].joinpath(name)} (see {_GUIDE}), or choose one of those languages."
    )


@lru_cache(maxsize=256)
def table(tag: str, name: str) -> Any:
    """Read a JSON or TOML file of a language once; callers must not change what they get.

    Raises:
        ConfigError: if it is not there, or cannot be read.
    """
    content = text(tag, name)
    try:
        return json.loads(content) if name.endswith(".json") else tomllib.loads(content)
    except ValueError as error:
        raise ConfigError(f"{_folders()[tag].joinpath(name)}: cannot be read: {error}.") from None


def word(tag: str, name: str, key: str) -> str:
    """Return one text of a language's file.

    Raises:
        ConfigError: if file or text is not there.
    """
    found = table(tag, name)
    if key not in found:
        raise ConfigError(f"{_folders()[tag].joinpath(name)}: has no text {key!r}. Write it: {INTERFACE[-1]} has one.")
    return str(found[key])


def together(name: str, used: Sequence[str] = INTERFACE) -> dict[str, Any]:
    """Return a table of texts in several languages: what ``data/<name>`` holds for all, and each text by language.

    Equal tables mean equal words: digests of prompts are taken of them.

    Args:
        name: of the file, both in ``data`` and in the folders of the languages.
        used: the languages; ``ja`` and ``en`` are always among them, so that a run in either has one and the same.
    """
    found: dict[str, Any] = {key: value for key, value in data.load(name).items() if key != "why"}
    for tag in dict.fromkeys((*INTERFACE, *sorted(used))):
        for key, value in table(tag, name).items():
            found.setdefault(key, {})[tag] = value
    return found


def _present(tag: str) -> str:
    if tag not in tags():
        raise PydanticCustomError("language", "Languages: {known}", {"known": ", ".join(tags())})
    return tag


Present = Annotated[Locale, AfterValidator(_present)]
"""The tag of a language that is there, for what users write; what is stored may be of one that is gone."""


@lru_cache(maxsize=64)
def _language(tag: str) -> Language:
    try:
        return Language.model_validate(table(tag, FILE))
    except ValidationError as error:
        raise ConfigError(
            explain_validation(error, str(_folders()[tag].joinpath(FILE)), list(Language.model_fields))
        ) from None


def _folders() -> Mapping[str, Traversable]:
    """Return the folder of each language, in order; one's own of a shipped tag is not read: shipped words stay."""
    return _folders_in(os.environ.get(VARIABLE, ""))


@lru_cache(maxsize=4)
def _folders_in(own_places: str) -> Mapping[str, Traversable]:
    own = [Path(name) for name in own_places.split(os.pathsep) if name]
    gone = [place for place in own if not place.is_dir()]
    if gone:
        raise ConfigError(f"{VARIABLE}: {gone[0]} is no folder. Name the folder in which the folders of languages lie.")
    found: dict[str, Traversable] = {}
    for place in (resources.files(data) / "locales", *own):
        for folder in sorted(place.iterdir(), key=lambda item: item.name):
            if folder.joinpath(FILE).is_file():
                if re.fullmatch(_PATTERN, folder.name) is None:
                    raise ConfigError(f"{folder}: {folder.name!r} is no tag of a language such as de or pt-BR.")
                found.setdefault(folder.name, folder)
    in_order = sorted(found, key=lambda tag: (*(tag != name for name in INTERFACE), tag))
    return {tag: found[tag] for tag in in_order}


_PATTERN = str(Locale.__metadata__[0].pattern)  # type: ignore[attr-defined]
