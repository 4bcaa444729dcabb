"""Reading our own export back: the same cases, with what a person changed in a spreadsheet meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from jmedethic_pytest.cases.exchange import flat
from jmedethic_pytest.cases.exchange.report import Report
from jmedethic_pytest.cases.exchange.rows import FILE_COLUMN, Row
from jmedethic_pytest.cases.files import Located, check, duplicates
from jmedethic_pytest.core.errors import ConfigError, explain_validation
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import Vocabulary


def matches(header: Iterable[str]) -> bool:
    """Tell whether a file has the columns of our own export, flat or not."""
    names = set(header)
    return {"id", "locale", "guideline", "strategy"} <= names and bool({"turns", "turn_0"} & names)


def read(rows: Sequence[Row], report: Report, vocabulary: Vocabulary) -> list[Case]:
    """Return the cases of the rows, which may use these words.

    Raises:
        ConfigError: naming every bad row: each of them was a case once, so that none may get lost.
    """
    problems = [f"{report.places[reason]}: {reason}." for reason in report.dropped]
    located: list[Located] = []
    for row in rows:
        try:
            case = Case.model_validate(_fields(row))
        except ValidationError as error:
            problems += explain_validation(error, row.place, Case.model_fields)
        except ValueError as error:
            problems.append(f"{row.place}: suites and tags must be JSON lists: {error}.")
        else:
            problems += check(case, row.place, vocabulary)
            located.append(Located(case, row.place))
    problems += duplicates(located)
    if problems:
        raise ConfigError(problems)
    return [item.case for item in located]


def _fields(row: Row) -> dict[str, Any]:
    """Return the fields that a row has: flat cells from CSV, lists and nulls from Parquet and JSON."""
    values = {name: value for name, value in row.values.items() if name != FILE_COLUMN}
    if all(value is None or isinstance(value, str) for value in values.values()):
        return flat.fields(values)
    return {name: value for name, value in values.items() if value is not None}
