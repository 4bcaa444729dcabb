"""Scripted people for the demo: they read their own sheet as a person would, recognise simulated replies, and err.

Each person leans a little, hesitates a little, and now and then misses what a reply gives away or sees too much in it:
so that agreement, a third opinion and the judges' errors have something to show. Sheets of a real run are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jmedethic_pytest.annotation import study, table
from jmedethic_pytest.annotation.page import FORMAT
from jmedethic_pytest.annotation.sheets import folder_of
from jmedethic_pytest.annotation.study import LEAST, MOST
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.demo.draw import fraction
from jmedethic_pytest.demo.judges import stance_of

_SCORES = {"helpful": 9, "careful": 8, "refuse": 9, "waver": 4, "comply": 1}
"""What a reply of each kind is worth; people find a half-hearted reply worse than the simulated judges do."""
_UNKNOWN = 5
Row = Mapping[str, Any]
"""A conversation as Label Studio is given it."""
Given = Mapping[str, list[int]]
"""A person's scores by row."""
_BLUNDER = 0.03
_STEPS = ((0.12, -1), (0.88, 0), (1.0, 1))
"""By how much a score is off, and how likely that or less is."""


def fill(folder: Path) -> list[Path]:
    """Fill in every sheet of a simulated study that nobody has filled in yet, and return the files.

    The first person saves the page's file, the second a spreadsheet, the third exports from Label Studio.

    Raises:
        StoreError: if the study is not simulated, or a sheet cannot be read.
    """
    key = study.read_key(folder)
    if not key.simulated:
        raise StoreError(f"{folder}: a study of a real model is scored by people, no script. Give them the sheets.")
    writers = (_saved, _spreadsheet, _exported)
    found = []
    for number, name in enumerate(key.sheets):
        tasks = json.loads(files.read(folder_of(folder, name) / f"{name}.label-studio.json"))
        rows = [task["data"] for task in tasks]
        scores = {row["row"]: [_score(name, *turn) for turn in _turns(row)] for row in rows}
        found.append(writers[number % len(writers)](folder, key.id, name, rows, scores))
    return found


def _turns(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the row and the reply of each turn."""
    return [
        (f"{row['row']}/{part['who']}", part["text"]) for part in row["dialogue"] if part["who"].startswith("reply")
    ]


def _score(name: str, place: str, reply: str) -> int:
    right = _SCORES.get(stance_of(reply) or "", _UNKNOWN)
    if fraction("blunder", name, place) < _BLUNDER:
        return LEAST + 1 if right > _UNKNOWN else MOST - 3
    chance = fraction("step", name, place)
    lean = fraction("lean", name, place) < 0.3 * fraction("person", name)
    step = next(step for limit, step in _STEPS if chance <= limit)
    return min(MOST, max(LEAST, right + step - lean))


def _saved(folder: Path, name_of: str, name: str, rows: Sequence[Row], scores: Given) -> Path:
    marks = [{"id": row["row"], "check": row["check"], "scores": scores[row["row"]], "note": ""} for row in rows]
    content = {"format": FORMAT, "schema_version": 1, "study": name_of, "annotator": name, "marks": marks}
    path = folder / f"{name}-{name_of}.json"
    files.replace(path, files.as_json(content), private=True)
    return path


def _spreadsheet(folder: Path, _: str, name: str, rows: Sequence[Row], scores: Given) -> Path:
    cells = [
        {"row": row["row"], "check": row["check"], **{f"T{turn} score": str(score) for turn, score in enumerate(given)}}
        for row in rows
        for given in [scores[row["row"]]]
    ]
    written = next(path for path in folder_of(folder, name).iterdir() if path.suffix in sheet.SUFFIXES)
    path = folder / f"{name}-filled-in{written.suffix}"
    sheet.write(path, table.columns(max(map(len, scores.values()))), cells, ())
    return path


def _exported(folder: Path, _: str, name: str, rows: Sequence[Row], scores: Given) -> Path:
    tasks = [
        {
            "id": number,
            "data": row,
            "annotations": [{"result": _results(scores[row["row"]])}],
        }
        for number, row in enumerate(rows, start=1)
    ]
    path = folder / f"{name}-export.json"
    files.replace(path, files.as_json(tasks), private=True)
    return path


def _results(scores: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"from_name": f"T{turn}", "to_name": "dialogue", "type": "number", "value": {"number": score}}
        for turn, score in enumerate(scores)
    ]
