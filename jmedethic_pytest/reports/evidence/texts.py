"""What an evidence pack says, in both languages of the interface; ``data/evidence`` holds every sentence.

A mapping (``aisi-health.toml``) lists the headings of another document, what a run contributes to each, and what not.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

from jmedethic_pytest import data

_FOLDER = "evidence"
_COMMON = "common"


class Item(NamedTuple):
    """A heading of another document."""

    heading: str
    gives: str
    lacks: str


class Texts:
    """The sentences in one language.

    Args:
        mapping: name of the other document, one of :func:`mappings`.
        language: ``ja`` or ``en``.
    """

    def __init__(self, mapping: str, language: str) -> None:
        self.language = language
        self._common = data.load(f"{_FOLDER}/{_COMMON}.toml")
        self._mapping: dict[str, Any] = data.load(f"{_FOLDER}/{mapping}.toml")

    def __call__(self, table: str, name: str = "", /, **values: object) -> str:
        """Return a sentence with values filled in."""
        found = self._common[table][name] if name else self._common[table]
        return str(found[self.language]).format(**values)

    @property
    def title(self) -> str:
        """What the pack is made for."""
        return str(self._mapping["title"][self.language])

    @property
    def about(self) -> str:
        """What the other document is, empty if there is none."""
        return str(self._mapping.get("about", {}).get(self.language, ""))

    @property
    def sources(self) -> list[tuple[str, str]]:
        """Where the other document is to be had: titles and addresses."""
        return [(source["title"], source["url"]) for source in self._mapping.get("sources", [])]

    @property
    def items(self) -> list[Item]:
        """Its headings, in its order."""
        fields = Item._fields
        return [Item(*(item[field][self.language] for field in fields)) for item in self._mapping["items"]]


def mappings() -> list[str]:
    """Return the documents along whose headings a pack can be made."""
    names = (file.name for file in resources.files(data).joinpath(_FOLDER).iterdir())
    return sorted(stem for name in names if (stem := name.removesuffix(".toml")) not in (name, _COMMON))
