"""Packs: conversations under other lists of guidelines than the shipped one, a folder each beside the bundled cases.

Such a folder holds ``guidelines.json``, case files, a manifest, a datasheet, and ``pack.toml``: what the pack promises
to hold. ``jma`` is the bundled folder itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.files import bundled_dir
from jmedethic_pytest.core import toml
from jmedethic_pytest.core.errors import ConfigError, explain_validation, unknown
from jmedethic_pytest.core.languages import INTERFACE, Locale, Present
from jmedethic_pytest.core.vocabulary import Guideline

FILE = "pack.toml"
JMA = "jma"
"""The pack of the 67 guidelines for Japan."""


class Pack(BaseModel):
    """What a pack promises to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    title_en: str
    title_ja: str
    locales: Annotated[tuple[Present, ...], Field(min_length=1)]
    """The languages of all its conversations; the first is that of a run which asks for none."""
    partly: dict[Present, int] = {}
    """Languages of a part of them, with the number of conversations."""
    twins: int = 0
    """Benign twins in each language of all conversations."""


def names() -> tuple[str, ...]:
    """Return the names of the packs that come with the package."""
    return (JMA, *sorted(file.parent.name for file in bundled_dir().glob(f"*/{FILE}")))


def folder(name: str, place: str) -> Path:
    """Return the folder of a pack.

    Args:
        name: of the pack.
        place: the option, for the error.

    Raises:
        ConfigError: if there is none of that name.
    """
    if name not in names():
        raise ConfigError(unknown(place, name, names(), " Cases and guidelines of your own: --jmed-cases FOLDER."))
    return bundled_dir() if name == JMA else bundled_dir() / name


def locale(name: str) -> Locale:
    """Return the language of a run on a pack that asks for none."""
    found = read(bundled_dir() / name)
    return INTERFACE[0] if found is None else found.locales[0]


def languages(name: str) -> tuple[Locale, ...]:
    """Return the languages of a pack's conversations, also those of a part of them."""
    found = read(bundled_dir() / name)
    return INTERFACE if found is None else (*found.locales, *found.partly)


def guidelines() -> dict[str, Guideline]:
    """Return all guidelines that come with the package, by id.

    Raises:
        ConfigError: if a file is bad.
    """
    shipped = [vocabulary_files.shipped(name) for name in vocabulary_files.SHIPPED]
    found = [*shipped, *(vocabulary_files.load(folder(name, "") / vocabulary_files.FILE) for name in names()[1:])]
    return {key: item for pack in found for key, item in pack.known().items()}


def read(path: Path) -> Pack | None:
    """Return what the pack in a folder promises; ``None`` if it is no pack.

    Raises:
        ConfigError: if its file is bad.
    """
    file = path / FILE
    if not file.is_file():
        return None
    try:
        return Pack.model_validate(toml.read(file, "Restore it."))
    except ValidationError as error:
        raise ConfigError(explain_validation(error, str(file), list(Pack.model_fields))) from None
