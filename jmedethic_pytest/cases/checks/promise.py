"""What a complete benchmark promises to hold: the bundled one, or a pack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from jmedethic_pytest.cases import packs, vocabulary_files
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.languages import INTERFACE, Locale


class Promise(NamedTuple):
    """The languages, guidelines and suites of a benchmark."""

    locales: tuple[Locale, ...]
    """Languages of all its conversations; the first is the one they were planned in."""
    guidelines: tuple[str, ...]
    cells: Mapping[str, int]
    """Conversations of every (guideline, strategy) cell in each of these languages; a suite holds the one before it."""
    pairs: Mapping[str, int] = MappingProxyType({})
    """Conversations of every guideline, by suite."""
    twins: int | None = None
    """Benign twins in all; ``None`` where they are promised by guideline."""
    partly: Mapping[Locale, int] = MappingProxyType({})
    """Languages of a part of the conversations, with their number."""

    @property
    def widest(self) -> str:
        """The suite that holds every conversation of a cell."""
        return list(self.cells)[-1]


def bundled() -> Promise:
    """Return the promise of the bundled conversations, which another benchmark with a manifest keeps too."""
    guidelines = tuple(vocabulary.guidelines())
    return Promise(INTERFACE, guidelines, {"core": 1, "full": 2}, {"twins": 2, "long": 2})


def of(folder: Path) -> Promise:
    """Return the promise of a folder with a manifest.

    Raises:
        ConfigError: if it is a pack whose files are bad.
    """
    pack = packs.read(folder)
    if pack is None:
        return bundled()
    guidelines = tuple(vocabulary_files.load(folder / vocabulary_files.FILE).known())
    return Promise(pack.locales, guidelines, {"core": 1}, twins=pack.twins, partly=pack.partly)
