"""Prompts of our own: texts in a file of ``data/``, versioned, each with its reason.

A file holds ``version`` and one table per text: ``why`` (the reason for its wording), ``ja`` and ``en``. Placeholders
are written ``{name}``; a literal brace is doubled.
"""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.core import files
from jmedethic_pytest.core.vocabulary import Locale
from jmedethic_pytest.data import load
from jmedethic_pytest.models.base import Message


class Prompts:
    """The texts of one file.

    Args:
        name: of the file below ``data/``, without its ending.
    """

    def __init__(self, name: str) -> None:
        self._texts: dict[str, Any] = load(f"{name}.toml")

    @property
    def version(self) -> str:
        """Number of the wording, for people."""
        return str(self._texts["version"])

    @property
    def digest(self) -> str:
        """sha256 of version and texts (the reasons do not count): equal digests mean equal prompts."""
        told = {
            key: value if isinstance(value, str) else {name: text for name, text in value.items() if name != "why"}
            for key, value in self._texts.items()
        }
        return files.digest(told)

    def text(self, key: str, locale: Locale, **values: object) -> str:
        """Return one text in a language, with its placeholders filled; values are never searched for placeholders."""
        return str(self._texts[key][locale]).strip().format(**values)

    def messages(self, system: str, user: str, locale: Locale, **values: object) -> tuple[Message, ...]:
        """Return a system and a user message."""
        return (
            Message("system", self.text(system, locale, **values)),
            Message("user", self.text(user, locale, **values)),
        )
