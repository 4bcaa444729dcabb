"""Prompts of our own: texts in a file of ``data/``, versioned, each with its reason.

A file of ``data`` holds ``version`` and, in the table ``why``, the reason of each wording; the files of that name in
the folders of the languages hold the texts. Placeholders are written ``{name}``; a literal brace is doubled.
"""

from __future__ import annotations

from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.data import load
from jmedethic_pytest.models.base import Message


class Prompts:
    """The texts of one file.

    Args:
        name: of the file below ``data/``, without its ending.
    """

    def __init__(self, name: str) -> None:
        self._file = f"{name}.toml"

    @property
    def version(self) -> str:
        """Number of the wording, for people."""
        return str(load(self._file)["version"])

    @property
    def digest(self) -> str:
        """sha256 of version and texts (the reasons do not count): equal digests mean equal prompts."""
        return files.digest(languages.together(self._file))

    def text(self, key: str, locale: Locale, **values: object) -> str:
        """Return one text in a language, with its placeholders filled; values are never searched for placeholders."""
        return languages.word(locale, self._file, key).strip().format(**values)

    def messages(self, system: str, user: str, locale: Locale, **values: object) -> tuple[Message, ...]:
        """Return a system and a user message."""
        return (
            Message("system", self.text(system, locale, **values)),
            Message("user", self.text(user, locale, **values)),
        )
