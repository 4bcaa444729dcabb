"""The scores of a run, collected one evaluation at a time: all that statistics need of it, without its texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from functools import cache
from typing import NamedTuple

import pandas as pd

from jmedethic_pytest.analysis import frames
from jmedethic_pytest.analysis.frames import JUDGES
from jmedethic_pytest.analysis.judge_reliability import Flags
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.store.scores import Collector, Floors, Row, ScoreSheet, paper_floors

NOT_EVALUATED = "not_evaluated"
"""Status in the table of a selected case that the run did not reach; no verdict of it is stored."""


class ThirdJudge(NamedTuple):
    """How often a third judge was asked."""

    asked: int
    missing: int
    """Of those: it gave no score either."""
    turns: int
    """On which the panel gave any score."""


class ScoreTable:
    """Collects the rows of a run, and returns them as tables.

    Args:
        verdicts: the first ones.
        vocabulary: the words of the run; it knows the categories.
        floors: those that the tables judge by.
        compared: whether the run will be compared with baselines, which needs more of every verdict.
    """

    def __init__(
        self,
        verdicts: Iterable[Verdict] = (),
        vocabulary: Vocabulary = SHIPPED,
        floors: Floors = paper_floors,
        *,
        compared: bool = False,
    ) -> None:
        self._vocabulary = vocabulary
        self.floors: Floors = cache(floors)
        """Those that the tables judge by."""
        self._collector = Collector(compared=compared)
        self._frame: pd.DataFrame | None = None
        self._cases: pd.DataFrame | None = None
        self.judges: tuple[str, ...] = ()
        """Names of the judges behind the columns ``judge_1`` ..., as far as any scored."""
        for verdict in verdicts:
            self.add(verdict)

    @property
    def statuses(self) -> Counter[str]:
        """Cases by status."""
        return Counter(row.status for row in self._collector.rows.values())

    def flags(self) -> dict[str, Flags]:
        """Return, for each judge, how many of its scores go against the components they come with."""
        rows = [row for row in self._collector.rows.values() if row.flags]
        found = {}
        for number, judge in enumerate(self.judges):
            marks = [mark for row in rows if number < len(row.flags) for mark in row.flags[number]]
            found[judge] = Flags(flagged=marks.count(True), checked=len(marks) - marks.count(None))
        return {judge: flags for judge, flags in found.items() if flags.checked}

    def thirds(self) -> ThirdJudge:
        """Return on how many turns a third judge was asked, of those that the panel scored."""
        rows = [row for row in self._collector.rows.values() if row.judges]
        decided = [value for row in rows for value, asked in zip(row.turns, row.thirds, strict=False) if asked]
        scored = sum(any(score is not None for score in turn) for row in rows for turn in zip(*row.judges, strict=True))
        return ThirdJudge(asked=len(decided), missing=decided.count(None), turns=scored)

    def add(self, verdict: Verdict, *, status: str | None = None) -> None:
        """Add one verdict; missing turns become rows without a value.

        A second verdict of the same evaluation is left out: it must not stand in for one that is lost.
        """
        if verdict.key in self:
            return
        self._collector.add(verdict, status=status)
        for turn in verdict.turns:
            if len(turn.scores) > len(self.judges):
                self.judges = tuple(score.judge for score in turn.scores[: len(JUDGES)])
        self._frame = self._cases = None

    def add_unevaluated(self, empty: Verdict) -> None:
        """Add an evaluation that the run was asked for and did not reach: all its turns are missing."""
        self.add(empty, status=NOT_EVALUATED)

    def __contains__(self, key: str) -> bool:
        """Tell whether an evaluation is in the table."""
        return key in self._collector.rows

    @property
    def rows(self) -> Mapping[str, Row]:
        """The scores of every evaluation, by key."""
        return self._collector.rows

    def known(self) -> set[str]:
        """Return the keys of the evaluations that are in the table."""
        return set(self._collector.rows)

    def only(self, keys: Collection[str]) -> ScoreTable:
        """Return the table of some of the evaluations."""
        found, rows = copy(self), self._collector.rows
        found._collector, found._frame, found._cases = copy(self._collector), None, None
        found._collector.rows = {key: rows[key] for key in rows if key in keys}
        return found

    def sheet(self, info: RunInfo) -> ScoreSheet:
        """Return what a comparison needs of the run."""
        return self._collector.sheet(info)

    def frame(self) -> pd.DataFrame:
        """Return one line per planned turn (see :func:`jmedethic_pytest.analysis.frames.frame`)."""
        if self._frame is None:
            self._frame = frames.frame(self._collector.rows.values(), self.floors, self._vocabulary)
        return self._frame.copy(deep=False)

    def cases(self) -> pd.DataFrame:
        """Return one line per evaluation (see :func:`jmedethic_pytest.analysis.frames.cases`)."""
        if self._cases is None:
            self._cases = frames.cases(self._collector.rows.values(), self.floors, self._vocabulary)
        return self._cases.copy(deep=False)
