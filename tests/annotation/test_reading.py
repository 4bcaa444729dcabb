"""Filled-in sheets of every form read back; a bad row is named, the others are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.annotation import collecting, reading, table
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.cases.exchange import sheet

Made = Callable[..., tuple[Path, Study]]
NOW = "2026-01-01T00:00:00Z"


def rows_of(folder: Path, who: str) -> list[dict[str, Any]]:
    tasks = json.loads((folder / "sheets" / who / f"{who}.label-studio.json").read_text(encoding="utf-8"))
    return [task["data"] for task in tasks]


def test_a_spreadsheet_as_people_fill_it_in(made: Made, tmp_path: Path) -> None:
    folder, key = made()
    rows = rows_of(folder, "ann")
    given = [("7", "８", "10.0"), ("11", "", "x"), ("=1+1", "1", "1"), ("", "", ""), ("2.5", "1", "1")]
    cells = [
        {"row": row["row"], "check": row["check"], **{f"T{turn} score": text for turn, text in enumerate(texts)}}
        for row, texts in zip(rows, given, strict=False)
    ]
    cells += [{"row": "nobody", "check": "x"}, {"row": rows[5]["row"], "check": "changed", "T0 score": "1"}]
    path = tmp_path / "ann.xlsx"
    sheet.write(path, table.columns(3), cells, ())
    found = reading.read(path, key, NOW)
    assert [(mark.id, mark.scores) for mark in found.marks] == [(rows[0]["row"], (7, 8, 10))]
    told = "\n".join(found.problems)
    for part in (
        f"row 3 ({rows[1]['row']}): score of T0: '11' is no score. Allowed: whole numbers 1 to 10, or nothing.",
        "score of T2: 'x' is no score",
        f"row 4 ({rows[2]['row']}): score of T0: '=1+1' is no score",
        "score of T0: '2.5' is no score",
        "row 'nobody' is none of this study",
        f"row 8 ({rows[5]['row']}): 'check' is 'changed'",
    ):
        assert part in told
    assert len(found.problems) == 6


def test_label_studios_two_exports(made: Made, tmp_path: Path) -> None:
    folder, key = made()
    rows = rows_of(folder, "ann")

    def annotated(row: dict[str, Any], scores: tuple[Any, ...], **more: Any) -> dict[str, Any]:
        result = [{"from_name": f"T{turn}", "value": {"number": score}} for turn, score in enumerate(scores)]
        result.append({"from_name": "note", "value": {"text": ["odd"]}})
        return {"id": 1, "data": row, "annotations": [{"result": result, **more}]}

    full = [
        annotated(rows[0], (1, 2, 3)),
        annotated(rows[1], (1, 2, 3), was_cancelled=True),
        annotated(rows[2], (1, 2, 99)),
        {"id": 4, "data": rows[3], "annotations": [{"result": []}, {"result": []}]},
        {"id": 5, "text": "another project"},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(full), encoding="utf-8")
    found = reading.read(path, key, NOW)
    assert [(mark.scores, mark.note) for mark in found.marks] == [((1, 2, 3), "odd")]
    assert [problem.split("task ")[1][:1] for problem in found.problems] == ["4", "5", "3"]
    small = [{"id": 1, "row": rows[0]["row"], "check": rows[0]["check"], "T0": 4, "T1": 5, "T2": 6, "annotator": 3}]
    path.write_text(json.dumps(small), encoding="utf-8")
    assert [mark.scores for mark in reading.read(path, key, NOW).marks] == [(4, 5, 6)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not valid JSON"),
        ('{"a": 1}', "neither a file saved from a sheet nor an export"),
        ('{"format": "jmedethic-annotation", "study": "study-other", "marks": []}', "a sheet of study study-other"),
        ('{"format": "jmedethic-annotation", "study": "STUDY", "marks": [1]}', "row 1: it has no list 'scores'"),
        ("[[]]", "task 1: an object is expected"),
    ],
)
def test_files_that_are_none(made: Made, tmp_path: Path, content: str, told: str) -> None:
    _, key = made()
    path = tmp_path / "file.json"
    path.write_text(content.replace("STUDY", key.id), encoding="utf-8")
    found = reading.read(path, key, NOW)
    assert found.marks == []
    assert told in found.problems[0]


def test_a_row_given_twice_or_with_too_many_turns(made: Made, tmp_path: Path) -> None:
    folder, key = made()
    row = rows_of(folder, "ann")[0]
    mark = {"id": row["row"], "check": row["check"], "note": ""}
    content = {"format": "jmedethic-annotation", "study": key.id}
    path = tmp_path / "file.json"
    for given, told in (
        ([[1, 1, 1, 1]], "T0 to T2 only"),
        ([[1], [2]], "stands in 2 rows"),
        ([[True, 1, 1]], "'True' is no score"),
    ):
        marks = [{**mark, "scores": scores} for scores in given]
        path.write_text(json.dumps({**content, "marks": marks}), encoding="utf-8")
        assert told in reading.read(path, key, NOW).problems[0]


GARBAGE = (None, [], {}, "x", -1, 10**30, 1.5, True, "\u202e", [[[]]], {"a": {}}, "7", "nan", "\x00", "A" * 20_000)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


def test_whatever_stands_in_a_file_is_a_mark_or_a_problem(made: Made, tmp_path: Path) -> None:
    folder, key = made()
    row = rows_of(folder, "ann")[0]
    result = [{"from_name": "T0", "value": {"number": 3}}, {"from_name": "note", "value": {"text": ["x"]}}]
    mark = {"id": row["row"], "check": row["check"], "scores": [1, 2, 3], "note": "x"}
    contents: list[Any] = [
        {"format": "jmedethic-annotation", "study": key.id, "annotator": "ann", "marks": [mark]},
        [{"data": {name: row[name] for name in ("row", "check")}, "annotations": [{"result": result}]}],
        [{"row": row["row"], "check": row["check"], "T0": 1, "note": "x"}],
    ]
    path = tmp_path / "file.json"
    for content in contents:
        for at in places(content):
            for garbage in GARBAGE:
                changed: Any = json.loads(json.dumps({"": content}))
                inner = changed
                for step in ("", *at)[:-1]:
                    inner = inner[step]
                inner[("", *at)[-1]] = garbage
                path.write_text(json.dumps(changed[""]), encoding="utf-8")
                found = reading.read(path, key, NOW)
                assert all(len(problem) < 500 + len(str(path)) for problem in found.problems), (at, garbage)


def test_good_rows_are_kept_beside_bad_ones(made: Made, tmp_path: Path, saved: Callable[..., Path]) -> None:
    folder, key = made()
    path = saved(folder, key, "ann", lambda case, _: 0 if case == key.items[0].key else 5)
    taken = collecting.take(folder, [path, tmp_path / "absent.json"])
    assert taken.new > 18
    assert len([line for line in taken.problems if "'0' is no score" in line]) >= 3
    assert "absent.json: cannot be read" in taken.problems[-1]
