"""The cases of a run, as many as there are: labels in memory, texts in their files until they are needed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.files import Spot
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import Locale


class Label(NamedTuple):
    """What selecting and planning need to know of a case."""

    id: str
    locale: Locale
    guideline: str
    strategy: str
    suites: tuple[str, ...]
    twin_of: str | None
    turns: range
    """In place of its user turns: as many numbers."""
    reference: range
    """In place of its reference replies."""
    spot: Spot

    @property
    def stem(self) -> str:
        """The id without its locale prefix."""
        return self.id.removeprefix(f"{self.locale}-")


def labels(paths: Sequence[Path] | None = None) -> list[Label]:
    """Read all case files and return the label of every case, in file order.

    Raises:
        ConfigError: naming every unreadable file, bad line and duplicate id.
    """
    suites: dict[tuple[str, ...], tuple[str, ...]] = {}
    return [
        Label(
            case.id,
            case.locale,
            sys.intern(case.guideline),
            sys.intern(case.strategy),
            suites.setdefault(case.suites, case.suites),
            case.twin_of,
            _as_long(len(case.turns)),
            _as_long(len(case.reference)),
            spot,
        )
        for case, spot in case_files.scan(paths)
    ]


_as_long = functools.cache(range)


class Shelf(Mapping[str, Case]):
    """Cases by id, in the order of their labels; each one is read when it is asked for.

    Raises:
        ConfigError: on reading, if a file has changed meanwhile.
    """

    def __init__(self, chosen: Iterable[Label]) -> None:
        self.labels = {label.id: label for label in chosen}

    def __getitem__(self, case_id: str) -> Case:
        return case_files.read_at(self.labels[case_id].spot)

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)
