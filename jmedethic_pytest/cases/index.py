"""The cases of a run, as many as there are: labels in memory, and the texts too unless there are many."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.files import CaseFiles, Spot
from jmedethic_pytest.core.languages import Locale, prefix
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary

KEPT = 4_096
"""Cases whose texts stay in memory; with more, each one is read again when its turn comes."""

Stamp = tuple[int, int]


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
    length: int
    """User turns of the whole conversation, with those of a branch."""
    reference: range
    """In place of its reference replies."""
    spot: Spot

    @property
    def stem(self) -> str:
        """The id without its locale prefix."""
        return self.id.removeprefix(prefix(self.locale))


class CaseIndex(Mapping[str, Case]):
    """Cases by id, in the order of their labels.

    Few cases are kept as they were read; of many, each one is read again when it is asked for.

    Args:
        labels: of the cases.
        vocabulary: the words they may use.
        kept: cases that were read already, those of the labels and perhaps others.
        stamps: the state of each file when they were read.
        read: reads a case at its place again.

    Raises:
        ConfigError: on reading, if a file has changed meanwhile.
    """

    def __init__(
        self,
        labels: Iterable[Label],
        vocabulary: Vocabulary = SHIPPED,
        kept: Mapping[str, Case] = MappingProxyType({}),
        stamps: Mapping[Path, Stamp | None] = MappingProxyType({}),
        read: Callable[[Spot], Case] = case_files.read_at,
    ) -> None:
        self.labels = {label.id: label for label in labels}
        self.vocabulary = vocabulary
        self._kept = {case_id: kept[case_id] for case_id in self.labels if case_id in kept}
        self._stamps = stamps
        self._read = read
        self._contents: dict[str, bytes] = {}

    @classmethod
    def read(cls, paths: Sequence[Path] | None = None) -> Self:
        """Read all case files.

        Raises:
            ConfigError: naming every unreadable file, bad line and duplicate id.
        """
        files = CaseFiles(paths)
        stamps = {file: stamp(file) for file in files.paths}
        suites: dict[tuple[str, ...], tuple[str, ...]] = {}
        found: list[Label] = []
        kept: dict[str, Case] = {}
        for case, spot in files:
            found.append(label(case, spot, suites.setdefault(case.suites, case.suites)))
            if len(found) <= KEPT:
                kept[case.id] = case
            elif kept:
                kept.clear()
        return cls(found, files.vocabulary, kept, stamps)

    def choose(self, labels: Iterable[Label]) -> Self:
        """Return the index of these cases only."""
        return type(self)(labels, self.vocabulary, self._kept, self._stamps, self._read)

    @property
    def digest(self) -> str:
        """As :func:`jmedethic_pytest.cases.files.digest` of the cases."""
        return case_files.digest_in_order(case_files.case_digest(self[case_id]) for case_id in sorted(self.labels))

    def content_digest(self, case_id: str) -> str:
        """As :func:`jmedethic_pytest.cases.files.content_digest` of a case; asked for when there is a baseline."""
        if case_id not in self._contents:
            case = self[case_id]
            digest = case_files.content_digest(case)
            self._contents[case_id] = bytes.fromhex(digest)  # there may be many
        return self._contents[case_id].hex()

    def told_digest(self, case_id: str) -> str:
        """As :func:`jmedethic_pytest.cases.files.told_digest` of a case."""
        return case_files.told_digest(self[case_id])

    def __getitem__(self, case_id: str) -> Case:
        spot = self.labels[case_id].spot
        case = self._kept.get(case_id)
        if case is None or stamp(spot.file) != self._stamps.get(spot.file):
            case = self._read(spot)
            if len(self.labels) <= KEPT:
                self._kept[case_id] = case
        return case

    def __iter__(self) -> Iterator[str]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)


def label(case: Case, spot: Spot, suites: tuple[str, ...]) -> Label:
    """Return the label of a case.

    Args:
        case: the case.
        spot: where it stands.
        suites: its suites; one tuple for all cases of the same.
    """
    return Label(
        case.id,
        case.locale,
        sys.intern(case.guideline),
        sys.intern(case.strategy),
        suites,
        case.twin_of,
        _as_long(len(case.turns)),
        case.length,
        _as_long(len(case.reference)),
        spot,
    )


_as_long = functools.cache(range)


def stamp(file: Path) -> Stamp | None:
    """Return what changes whenever a file is written, ``None`` if it is gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
