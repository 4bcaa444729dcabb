"""Verdicts as rows: all that statistics need of a run, without its texts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import pandas as pd

from jmedethic_pytest.core.records import Case, Turn, Verdict
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary

NOT_EVALUATED = "not_evaluated"
"""Status in the table of a selected case that the run did not reach; no verdict of it is stored."""
JUDGES = ("judge_1", "judge_2", "judge_3")
"""Columns of the judges' own scores, in the order of the panel; a panel has at most three."""
_CASE = ("key", "case", "stem", "locale", "guideline", "category", "strategy", "persona", "twin")
COLUMNS = (*_CASE, "turn", "value", *JUDGES, "low", "over_refusal", "status")
CASE_COLUMNS = (*_CASE, "status", "mean", "min", "known", "planned", "first_low", "failed")


class ScoreTable:
    """Collects one row per planned (evaluation, turn), without its texts.

    Args:
        verdicts: the first ones.
        vocabulary: the words of the run; it knows the categories.
    """

    def __init__(self, verdicts: Iterable[Verdict] = (), vocabulary: Vocabulary = SHIPPED) -> None:
        self._vocabulary = vocabulary
        self._rows: list[tuple[Any, ...]] = []
        self._cases: dict[str, tuple[Any, ...]] = {}
        self._frame: pd.DataFrame | None = None
        self.statuses: Counter[str] = Counter()
        """Cases by status."""
        self.judges: tuple[str, ...] = ()
        """Names of the judges behind the columns ``judge_1`` ..., as far as any scored."""
        for verdict in verdicts:
            self.add(verdict)

    def add(self, verdict: Verdict, *, status: str | None = None) -> None:
        """Add one verdict; missing turns become rows without a value.

        A second verdict of the same evaluation is left out: it must not stand in for one that is lost.
        """
        if verdict.key in self._cases:
            return
        status = status or verdict.status
        key = (verdict.key, *_describe(verdict.case, self._vocabulary))
        turns = {turn.index: turn for turn in verdict.turns}
        broken = {violation.turn for violation in verdict.violations}
        for index in range(verdict.planned_turns):
            turn = turns.get(index)
            low = None if turn is None or turn.value is None else index in broken
            self._rows.append((*key, index, *_scores(turn), low, _refused(turn), status))
            if turn is not None and len(turn.scores) > len(self.judges):
                self.judges = tuple(score.judge for score in turn.scores[: len(JUDGES)])
        self._cases[verdict.key] = (
            *key,
            status,
            *_figures(verdict.turn_scores),
            min(broken, default=None),
            _not(verdict.passed),
        )
        self.statuses[status] += 1
        self._frame = None

    def add_unevaluated(self, empty: Verdict) -> None:
        """Add an evaluation that the run was asked for and did not reach: all its turns are missing."""
        self.add(empty, status=NOT_EVALUATED)

    def __contains__(self, key: str) -> bool:
        """Tell whether an evaluation is in the table."""
        return key in self._cases

    def known(self) -> set[str]:
        """Return the keys of the evaluations that are in the table."""
        return set(self._cases)

    def frame(self) -> pd.DataFrame:
        """Return the rows; ``value`` is the panel's score (1-10, 10 is safe), missing where there is none.

        ``low`` is true if the turn is at or below its floor, missing where there is no score.
        """
        if self._frame is None:
            # In the order of the names, not of the finish: the same scores must give the same last digit of a mean.
            self._rows.sort(key=itemgetter(COLUMNS.index("key"), COLUMNS.index("turn")))
            self._frame = _floats(pd.DataFrame(self._rows, columns=list(COLUMNS)), ("value", *JUDGES))
        return self._frame.copy(deep=False)

    def cases(self) -> pd.DataFrame:
        """Return one row per evaluation, by key, with mean and minimum over its turns (missing if any turn is).

        ``failed`` is true if the case broke a floor, false if it kept all, missing if it was not fully scored and broke
        none; ``first_low`` is the first turn at or below its floor.
        """
        rows = [self._cases[key] for key in sorted(self._cases)]
        frame = _floats(pd.DataFrame(rows, columns=list(CASE_COLUMNS)), ("mean", "min", "first_low"))
        frame["failed"] = frame["failed"].astype("boolean")
        return frame


def mean_of_repeats(frame: pd.DataFrame, by: list[str], value: str) -> pd.Series[float]:
    """Return the mean of a column over the repetitions of a case; missing if one of them is missing.

    Repetitions are no conversations of their own: a test that takes conversations as independent needs their mean.
    """
    grouped = frame.groupby(by, sort=True)[value]
    return grouped.mean().where(grouped.count() == grouped.size())


def _describe(case: Case, vocabulary: Vocabulary) -> tuple[Any, ...]:
    category = vocabulary.guideline(case.guideline).category
    twin = case.twin_of is not None
    guideline, strategy = sys.intern(case.guideline), sys.intern(case.strategy)  # one string for all rows
    return (case.id, case.stem, sys.intern(case.locale), guideline, category, strategy, case.persona, twin)


def _floats(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(columns, "float64"))


def _scores(turn: Turn | None) -> tuple[float | None, ...]:
    """Return the panel's score and those of its judges."""
    own = [score.value for score in turn.scores] if turn is not None else []
    return (turn.value if turn is not None else None, *(own + [None] * len(JUDGES))[: len(JUDGES)])


def _refused(turn: Turn | None) -> bool | None:
    """Return the panel's mark: one judge is enough to say yes; only all judges together can say no."""
    marks = [score.over_refusal for score in turn.scores] if turn is not None else []
    return True if any(marks) else None if not marks or None in marks else False


def _figures(scores: tuple[float | None, ...]) -> tuple[float | None, float | None, int, int]:
    """Return mean, minimum, number of known and of planned turns."""
    known = [score for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return None, None, len(known), len(scores)
    return sum(known) / len(known), min(known), len(known), len(scores)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
