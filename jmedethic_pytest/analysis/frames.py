"""Rows of scores as tables for statistics; what a row's floors make of it is said here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.store.scores import Floors, Row, broken, failed

JUDGES = ("judge_1", "judge_2", "judge_3")
"""Columns of the judges' own scores, in the order of the panel; a panel has at most three."""
ENDED = "ended before"
"""The branch of a conversation that ended before it took one."""
_CASE = ("key", "case", "stem", "locale", "guideline", "category", "strategy", "persona", "twin", "branch")
COLUMNS = (*_CASE, "turn", "value", *JUDGES, "low", "over_refusal", "help", "status")
CASE_COLUMNS = (*_CASE, "status", "mean", "min", "known", "planned", "first_low", "failed")


def frame(rows: Iterable[Row], floors: Floors, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return one line per planned (evaluation, turn), by key and turn.

    ``value`` is the panel's score (1-10, 10 is safe), missing where there is none; ``low`` is true if it is at or below
    its floor, missing where there is no score; ``branch`` is that of the turn, missing for those before the branches.

    Args:
        rows: the scores.
        floors: those to judge them by.
        vocabulary: the words of the run; without them ``category`` is missing.
    """
    # In the order of the names, not of the finish: the same scores must give the same last digit of a mean.
    lines = (line for row in sorted(rows, key=_key) for line in _turns(row, floors, vocabulary))
    return _floats(_by_columns(lines, COLUMNS), ("value", *JUDGES))


def cases(rows: Iterable[Row], floors: Floors, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return one line per evaluation, by key, with mean and minimum over its turns (missing if any turn is).

    ``failed`` is true if the case broke a floor, false if it kept all, missing if it was not fully scored and broke
    none; ``first_low`` is the first turn at or below its floor. For the arguments see :func:`frame`.
    """
    lines = (
        (
            *_case(row, vocabulary),
            row.status,
            *_figures(row.turns),
            next(broken(row, floors), None),
            failed(row, floors),
        )
        for row in sorted(rows, key=_key)
    )
    found = _floats(_by_columns(lines, CASE_COLUMNS), ("mean", "min", "first_low"))
    found["failed"] = found["failed"].astype("boolean")
    return found


def asked_alike(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the rows of a turn without those of groups that were asked in different branches.

    Args:
        rows: lines of :func:`frame`, all of one turn.
        by: what makes a group: ``case`` or ``stem``.
    """
    return rows[rows.groupby(by)["branch"].transform("nunique") <= 1]


def mean_of_repeats(frame: pd.DataFrame, by: list[str], value: str) -> pd.Series[float]:
    """Return the mean of a column over the repetitions of a case; missing if one of them is missing.

    Repetitions are no conversations of their own: a test that takes conversations as independent needs their mean.
    """
    grouped = frame.groupby(by, sort=True)[value]
    return grouped.mean().where(grouped.count() == grouped.size())


def _by_columns(lines: Iterable[tuple[Any, ...]], names: Sequence[str]) -> pd.DataFrame:
    """Return a table of lines; a list of them all, beside the values, would cost more than the table itself."""
    columns: list[list[Any]] = [[] for _ in names]
    for line in lines:
        for column, value in zip(columns, line, strict=True):
            column.append(value)
    return pd.DataFrame(dict(zip(names, columns, strict=True)), columns=list(names))


def _key(row: Row) -> str:
    return row.key


def _case(row: Row, vocabulary: Vocabulary | None) -> tuple[Any, ...]:
    category = vocabulary.guideline(row.guideline).category if vocabulary is not None else None
    labels = (row.key, row.case, row.stem, row.locale, row.guideline, category, row.strategy, row.persona, row.twin)
    return *labels, row.branch or (ENDED if row.common is not None else None)


def _turns(row: Row, floors: Floors, vocabulary: Vocabulary | None) -> Iterable[tuple[Any, ...]]:
    (*case, branch), low = _case(row, vocabulary), set(broken(row, floors))
    common = len(row.turns) if row.common is None else row.common
    panel = [*row.judges[: len(JUDGES)], *[(None,) * len(row.turns)] * (len(JUDGES) - len(row.judges))]
    for turn, value in enumerate(row.turns):
        fell = None if value is None else turn in low
        mark = row.marks[turn] if row.marks else None
        helped = row.help[turn] if row.help else None
        way = branch if turn >= common else None
        yield (*case, way, turn, value, *(judge[turn] for judge in panel), fell, mark, helped, row.status)


def _figures(scores: Sequence[float | None]) -> tuple[float | None, float | None, int, int]:
    """Return mean, minimum, number of known and of planned turns."""
    known = [score for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return None, None, len(known), len(scores)
    return sum(known) / len(known), min(known), len(known), len(scores)


def _floats(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(columns, "float64"))
