"""A run as plain tables, for spreadsheets and data frames: ids, figures and scores, and no text of a model.

A cell is a number, a truth value or a short text. In CSV a text that a spreadsheet would run as a formula gets an
apostrophe before it, and the file starts with a byte-order mark, without which Excel shows Japanese as noise.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jmedethic_pytest.analysis.adaptive.falls import Fall, falls
from jmedethic_pytest.cases.exchange import flat
from jmedethic_pytest.core import files
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.stats.estimate import Estimate, Test

if TYPE_CHECKING:
    from pandas import DataFrame

    from jmedethic_pytest.analysis.noninferiority.records import CaseChange, Comparison
    from jmedethic_pytest.analysis.robustness import Flipped
    from jmedethic_pytest.analysis.table import ScoreTable
    from jmedethic_pytest.gate.outcome import Outcome

NAME = "tables"
"""The folder inside a run's folder."""
Cell = str | float | int | bool | None
_LONGEST = 1000
"""Characters of a text cell; a spreadsheet refuses more than 32,767."""
_PARTS = ("conversations", "minimum", "degradation", "languages", "instruments", "robustness", "adaptive")
"""Parts of the summary that are records of their own, or ``None``: no figures of the run as a whole."""
_CASE = ["key", "case", "locale", "guideline", "category", "strategy", "persona", "twin", "branch"]


class Table(NamedTuple):
    """A table with a name, which is also its file's."""

    name: str
    rows: list[dict[str, Cell]]
    columns: list[str]

    @classmethod
    def of(cls, name: str, rows: Iterable[dict[str, Cell]]) -> Table:
        """Build a table whose columns are all that occur in a row, in the order of their first occurrence."""
        listed = list(rows)
        return cls(name, listed, list(dict.fromkeys(column for row in listed for column in row)))


def write(outcome: Outcome, folder: Path) -> None:
    """Write the tables of a run as CSV into its folder (see :func:`write_csv`)."""
    write_csv(outcome, folder / NAME)


def tables(outcome: Outcome) -> Iterator[Table]:
    """Yield the tables of a run that have rows."""
    for table in _all(outcome):
        if table.rows:
            yield table


def write_csv(outcome: Outcome, folder: Path) -> list[Path]:
    """Write ``<table>.csv`` for every table.

    Args:
        outcome: the run.
        folder: where; made if it is not there.

    Returns:
        The files, in their order.

    Raises:
        StoreError: if one cannot be written.
    """
    return [_write(folder / f"{table.name}.csv", csv_bytes(table)) for table in tables(outcome)]


def write_parquet(outcome: Outcome, folder: Path) -> list[Path]:
    """Write ``<table>.parquet`` for every table; arguments and errors as in :func:`write_csv`.

    Raises:
        ConfigError: if pyarrow is missing.
        StoreError: if a file cannot be written.
    """
    return [_write(folder / f"{table.name}.parquet", _parquet_bytes(table)) for table in tables(outcome)]


def csv_bytes(table: Table) -> bytes:
    """Return a table as CSV that is safe to open in a spreadsheet."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(table.columns)
    writer.writerows([_csv_cell(row.get(column)) for column in table.columns] for row in table.rows)
    return stream.getvalue().encode("utf-8-sig")


def _csv_cell(value: Cell) -> str | float | int:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return flat.escape(_text(value))
    return "" if value is None else value


def _text(value: str) -> str:
    """Return a text on one line, without what hides or reorders it, at most so many characters long."""
    return plain_text.one_line(value, _LONGEST)


def _parquet_bytes(table: Table) -> bytes:
    from jmedethic_pytest.cases.exchange.rows import pyarrow

    arrow, parquet = pyarrow("", "parquet"), pyarrow("parquet", "parquet")
    columns = {name: [row.get(name) for row in table.rows] for name in table.columns}
    arrays = {
        name: arrow.array(values, arrow.string() if all(value is None for value in values) else None)
        for name, values in columns.items()
    }
    stream = io.BytesIO()
    parquet.write_table(arrow.table(arrays), stream)
    return stream.getvalue()


def _write(file: Path, data: bytes) -> Path:
    files.replace(file, data)
    return file


# ---------------------------------------------------------------- what stands in them


def _all(outcome: Outcome) -> Iterator[Table]:
    summary, scores = outcome.summary, outcome.scores()
    yield Table.of("run", [_run(outcome)])
    yield Table.of("gate", map(flatten, outcome.gate.conditions))
    frame = scores.frame()
    yield _frame("cases", _with_turns(scores.cases(), frame))
    yield _frame("scores", frame)
    yield Table.of("judges", _judges(outcome))
    yield Table.of("degradation", map(flatten, summary.degradation.steps if summary.degradation else ()))
    yield Table.of("survival", _survival(outcome))
    for name in ("turns", "strategies", "guidelines", "categories", "locales", "personas"):
        groups = getattr(summary, name)
        yield Table.of(name, ({**_named(name, group.key, outcome.info.words), **flatten(group)} for group in groups))
    if summary.robustness is not None:
        found = summary.robustness
        yield Table.of("robustness", map(flatten, (found.whole, *found.by_kind)))
        yield Table.of("flipped", map(_flipped, found.flipped))
    if outcome.info.attack is not None:
        yield Table.of("attacks", _attacks(scores, outcome.info.attack.max_turns))
    yield Table.of("endpoints", _of_baselines(outcome, "endpoints"))
    yield Table.of("regressed", _of_baselines(outcome, "regressed"))
    yield Table.of("new_failures", _changes(outcome, "new_failures"))
    yield Table.of("fixed", _changes(outcome, "fixed"))


def _run(outcome: Outcome) -> dict[str, Cell]:
    info = outcome.info
    return {
        "run": info.id,
        "model": str(info.target["model"]),
        "judges": ", ".join(str(judge["model"]) for judge in info.judges),
        "simulated": info.simulated,
        "status": info.status,
        "started": info.started,
        "ended": info.finished,
        "gate": outcome.gate.answer,
        "baselines": ", ".join(comparison.baseline for comparison in outcome.comparisons),
        **{name: value for name, value in flatten(outcome.summary, deep=False).items() if name not in _PARTS},
        **{f"digest_{name}": digest for name, digest in info.digests.items()},
    }


def _attacks(scores: ScoreTable, most: int) -> Iterator[dict[str, Cell]]:
    """Yield one row per attack: a conversation from one seed, with the scores of the turns that the attacker added."""
    for row in scores.rows.values():
        for fall in falls(row, scores.floors, most):
            yield {"key": row.key, "guideline": row.guideline, "strategy": row.strategy, **_fall(fall)}


def _fall(fall: Fall) -> dict[str, Cell]:
    attack = next(attack for attack in fall.row.attacks if attack.seed == fall.seed)
    first = len(fall.row.turns)
    added = {f"T{turn}": _number(value) for turn, value in enumerate(attack.turns, start=first)}
    return {"seed": fall.seed, "end": fall.end, "first_unsafe": fall.turn, "calls": attack.calls, **added}


def _judges(outcome: Outcome) -> Iterator[dict[str, Cell]]:
    """Yield one row per pair of judges, with the panel's figures beside each."""
    report = outcome.summary.instruments
    if report is not None:
        panel = {name: value for name, value in flatten(report.turn_level).items() if name not in ("n", "reason")}
        yield from ({**flatten(pair), **panel} for pair in report.turn_level.pairs)


def _survival(outcome: Outcome) -> Iterator[dict[str, Cell]]:
    """Yield one row per turn, of conversations of three turns, of longer ones, and of attacked ones."""
    attacked = outcome.summary.adaptive.survival if outcome.summary.adaptive is not None else None
    for found in (*outcome.summary.survival, *([attacked] if attacked is not None else [])):
        yield from ({"conversations": found.kind, **flatten(turn)} for turn in found.turns)


def _named(table: str, key: str, vocabulary: Vocabulary) -> dict[str, Cell]:
    """Return the columns that name a group for a person."""
    if table == "strategies":
        names = vocabulary.strategy(key).name
    elif table == "guidelines":
        names = vocabulary.guideline(key).title
    elif table == "categories":
        names = vocabulary.category(key).name
    else:
        return {"key": key}
    return {"key": key, "name_en": names["en"], "name_ja": names["ja"]}


def _of_baselines(outcome: Outcome, field: str) -> Iterator[dict[str, Cell]]:
    for comparison in outcome.comparisons:
        yield from ({"baseline_name": comparison.baseline, **flatten(item)} for item in getattr(comparison, field))


def _changes(outcome: Outcome, field: str) -> Iterator[dict[str, Cell]]:
    for comparison in outcome.comparisons:
        yield from (_change(comparison, item) for item in getattr(comparison, field))


def _flipped(item: Flipped) -> dict[str, Cell]:
    """Return a conversation with another result in other words, with its scores as it was and reworded."""
    sides = (("original", item.original), ("reworded", item.reworded))
    scores = {f"{side}_T{turn}": _number(value) for side, values in sides for turn, value in enumerate(values)}
    return {**flatten(item), **scores}


def _change(comparison: Comparison, item: CaseChange) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "baseline_name": comparison.baseline,
        "key": item.key,
        "locale": item.locale,
        "guideline": item.guideline,
        "strategy": item.strategy,
        "turn": item.turn,
    }
    for side, values in (("baseline", item.baseline), ("candidate", item.candidate)):
        row.update({f"{side}_T{turn}": _number(value) for turn, value in enumerate(values)})
    return row


def flatten(record: Record, prefix: str = "", *, deep: bool = True) -> dict[str, Cell]:
    """Return the single figures of a record by column; an interval becomes ``x_low`` and ``x_high``.

    Args:
        record: any record; its lists of records are left out, for they are tables of their own.
        prefix: of the columns.
        deep: also the figures of the records inside.
    """
    row: dict[str, Cell] = {}
    for name, value in record:
        column = f"{prefix}{name}"
        if isinstance(value, Estimate):
            row.update(_estimate(column.removesuffix("_interval"), value, shown=not name.endswith("_interval")))
        elif isinstance(value, Test):
            row.update({f"{column}_p": _number(value.p), f"{column}_p_adjusted": _number(value.p_adjusted)})
        elif isinstance(value, Record):
            row.update(flatten(value, f"{column}_") if deep else {})
        elif isinstance(value, dict):
            row.update({f"{column}_{key}": _number(item) for key, item in value.items() if _is_cell(item)})
        elif _is_cell(value):
            row[column] = _number(value)
    return {name: value for name, value in row.items() if not name.endswith("schema_version")}


def _estimate(column: str, value: Estimate, *, shown: bool) -> dict[str, Cell]:
    ends: dict[str, Cell] = {f"{column}_low": _number(value.low), f"{column}_high": _number(value.high)}
    return {**({column: _number(value.value)} if shown else {}), **ends}


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _number(value: Any) -> Any:
    """Return a figure without the noise of its last bits; NaN never gets into a file."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.9g}")
    return value


def _frame(name: str, frame: DataFrame) -> Table:
    """Return a data frame as a table, missing values as ``None``."""
    columns = [str(column) for column in frame.columns]
    plain = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return Table(name, [dict(zip(columns, map(_number, row), strict=True)) for row in plain], columns)


def _with_turns(cases: DataFrame, frame: DataFrame) -> DataFrame:
    """Add one column a turn to the table of cases."""
    turns = frame.pivot(index="key", columns="turn", values="value").add_prefix("T").reset_index()
    first: Sequence[str] = [*_CASE, "status", *(str(name) for name in turns.columns if name != "key"), "mean", "min"]
    merged = cases.merge(turns, on="key", how="left")
    return merged[[*first, *(name for name in ("failed", "first_low") if name in merged)]]
