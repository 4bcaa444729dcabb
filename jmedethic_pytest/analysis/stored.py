"""Stored runs as tables: what the commands about several runs compute with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from jmedethic_pytest.analysis import frames
from jmedethic_pytest.analysis.frames import JUDGES
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.scores import Origin, ScoreSheet, paper_floors


@dataclass(frozen=True)
class StoredRun:
    """The scores of a stored run, as tables."""

    name: str
    """How the user called it."""
    sheet: ScoreSheet

    @property
    def origin(self) -> Origin:
        """What the run was."""
        return self.sheet.origin

    @property
    def judges(self) -> tuple[str, ...]:
        """Names of the judges, in the order of the columns ``judge_1`` ..."""
        return tuple(judge["model"] for judge in self.origin.judges[: len(JUDGES)])

    @property
    def locales(self) -> tuple[str, ...]:
        """Languages of the evaluations, in alphabetical order."""
        return tuple(sorted({row.locale for row in self.sheet.rows.values()}))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One line per evaluation and planned turn (see :func:`jmedethic_pytest.analysis.frames.frame`)."""
        return frames.frame(self.sheet.rows.values(), paper_floors)

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One line per evaluation (see :func:`jmedethic_pytest.analysis.frames.cases`).

        ``failed`` is the paper's rule, a turn at or below 2, whatever the run's own floors.
        """
        return frames.cases(self.sheet.rows.values(), paper_floors)

    def keeping(self, keys: set[str]) -> StoredRun:
        """Return the run with these evaluations only."""
        kept = {key: row for key, row in self.sheet.rows.items() if key in keys}
        return StoredRun(self.name, ScoreSheet(self.origin, kept))


def read(path: Path, name: str) -> StoredRun:
    """Read a stored run.

    Raises:
        StoreError: if it is damaged or was written by a newer version.
    """
    return StoredRun(name, run_scores.read(path))


def together(runs: Sequence[StoredRun]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows and cases of several runs under each other."""
    return pd.concat([run.rows for run in runs]), pd.concat([run.cases for run in runs])
