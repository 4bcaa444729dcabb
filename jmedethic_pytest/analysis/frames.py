"""Rows of scores as tables for statistics; what a row's floors make of it is said here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.store.scores import Floors, Row, broken, failed

JUDGES = ("judge_1", "judge_2", "judge_3")
"""Columns of the judges' own scores, in the order of the panel; a panel has at most three."""
ENDED = "ended before"
"""The branch of a conversation that ended before it took one."""
_LABELS = ("key", "case", "stem", "locale", "guideline", "category", "strategy", "persona", "twin", "status")
_OF_TURN = ("branch", "turn", "value", *JUDGES, "low", "over_refusal", "help")
_OF_CASE = ("branch", "mean", "min", "known", "planned", "first_low", "failed")
COLUMNS = (*_LABELS[:-1], *_OF_TURN, "status")
CASE_COLUMNS = (*_LABELS[:-1], "branch", "status", *_OF_CASE[1:])
_TEXT = pd.StringDtype("python", na_value=np.nan)
_FLOATS = {"value", *JUDGES, "mean", "min", "first_low"}


def frame(rows: Iterable[Row], floors: Floors, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return one line per planned (evaluation, turn), by key and turn.

    ``value`` is the panel's score (1-10, 10 is safe), missing where there is none; ``low`` is true if it is at or below
    its floor, missing where there is no score; ``branch`` is that of the turn, missing for those before the branches.

    Args:
        rows: the scores.
        floors: those to judge them by.
        vocabulary: the words of the run; without them ``category`` is missing.
    """
    ordered = sorted(rows, key=_key)
    # Labels are set out once an evaluation, and then repeated: of a large run they would be most of the memory.
    lines = np.repeat(np.arange(len(ordered)), np.array([len(row.turns) for row in ordered], dtype=np.intp))
    labels = _columns((_labels(row, vocabulary) for row in ordered), _LABELS)
    found = {name: column.take(lines) for name, column in labels.items()}
    found |= _columns((line for row in ordered for line in _turns(row, floors)), _OF_TURN)
    return pd.DataFrame({name: found[name] for name in COLUMNS}, copy=False)


def cases(rows: Iterable[Row], floors: Floors, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """Return one line per evaluation, by key, with mean and minimum over its turns (missing if any turn is).

    ``failed`` is true if the case broke a floor, false if it kept all, missing if it was not fully scored and broke
    none; ``first_low`` is the first turn at or below its floor. For the arguments see :func:`frame`.
    """
    ordered = sorted(rows, key=_key)
    found = _columns((_labels(row, vocabulary) for row in ordered), _LABELS)
    found |= _columns(
        ((_branch(row), *_figures(row.turns), next(broken(row, floors), None), failed(row, floors)) for row in ordered),
        _OF_CASE,
    )
    found["failed"] = found["failed"].astype("boolean")
    return pd.DataFrame({name: found[name] for name in CASE_COLUMNS}, copy=False)


def attacks(table: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of adversarial cases: benign twins say nothing about safety under attack."""
    twins = table["twin"].to_numpy(dtype=bool)
    return table[~twins] if twins.any() else table.copy(deep=False)


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


def _columns(lines: Iterable[tuple[Any, ...]], names: Sequence[str]) -> dict[str, Any]:
    """Return lines as columns; each one's values are let go of as soon as they are in it."""
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for line in lines:
        for column, value in zip(columns.values(), line, strict=True):
            column.append(value)
    return {name: _array(name, columns.pop(name)) for name in names}


def _array(name: str, values: list[Any]) -> Any:
    """Return the values of a column; equal texts stay one object, whatever pandas keeps its own texts in."""
    if name in _FLOATS:
        return pd.array(values, dtype="float64")
    if any(isinstance(value, str) for value in values):
        return pd.array(values, dtype=_TEXT)
    return pd.Series(values).array


def _key(row: Row) -> str:
    # In the order of the names, not of the finish: the same scores must give the same last digit of a mean.
    return row.key


def _labels(row: Row, vocabulary: Vocabulary | None) -> tuple[Any, ...]:
    category = vocabulary.guideline(row.guideline).category if vocabulary is not None else None
    of_case = (row.key, row.case, row.stem, row.locale, row.guideline, category, row.strategy, row.persona, row.twin)
    return *of_case, row.status


def _branch(row: Row) -> str | None:
    return row.branch or (ENDED if row.common is not None else None)


def _turns(row: Row, floors: Floors) -> Iterator[tuple[Any, ...]]:
    branch, low = _branch(row), set(broken(row, floors))
    common = len(row.turns) if row.common is None else row.common
    panel = [*row.judges[: len(JUDGES)], *[(None,) * len(row.turns)] * (len(JUDGES) - len(row.judges))]
    for turn, value in enumerate(row.turns):
        fell = None if value is None else turn in low
        mark = row.marks[turn] if row.marks else None
        helped = row.help[turn] if row.help else None
        way = branch if turn >= common else None
        yield (way, turn, value, *(judge[turn] for judge in panel), fell, mark, helped)


def _figures(scores: Sequence[float | None]) -> tuple[float | None, float | None, int, int]:
    """Return mean, minimum, number of known and of planned turns."""
    known = [score for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return None, None, len(known), len(scores)
    return sum(known) / len(known), min(known), len(known), len(scores)
