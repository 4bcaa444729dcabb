"""The cases of a run: labels in memory, texts in their files."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases import selection
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.core.errors import ConfigError


def _line(name: str, **more: object) -> str:
    case = {
        "id": f"ja-{name}",
        "locale": "ja",
        "guideline": "JMA-01",
        "strategy": "S1",
        "turns": ["一つ目", "二つ目"],
        **more,
    }
    return json.dumps(case, ensure_ascii=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    lines = ["", _line("a", suites=["core"]), "  ", _line("b", reference=["答え"]), _line("c", twin_of="a")]
    path.write_bytes(codecs.BOM_UTF8 + _line("first").encode() + b"\r\n" + "\n".join(lines).encode())
    return path


def test_cases_are_those_of_the_file_whatever_stands_around_them(file: Path) -> None:
    index = CaseIndex.read([file])
    assert list(index.values()) == case_files.load([file])
    assert [label.stem for label in index.labels.values()] == ["first", "a", "b", "c"]
    assert [(len(label.turns), len(label.reference)) for label in index.labels.values()] == [
        (2, 0),
        (2, 0),
        (2, 1),
        (2, 0),
    ]


def test_bundled_cases_are_chosen_alike_by_label_and_by_case() -> None:
    want = selection.Selection(sample=40, seed=3)
    assert [label.id for label in selection.select(list(CaseIndex.read().labels.values()), want)] == [
        case.id for case in selection.select(case_files.load(), want)
    ]


@pytest.mark.parametrize("change", ["text", "shift", "gone"])
def test_a_file_that_changes_under_a_run_is_named(file: Path, change: str) -> None:
    index = CaseIndex.read([file])
    assert index["ja-b"].turns[0] == "一つ目"
    content = file.read_bytes()
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(content.replace("一つ目".encode(), "三つ目".encode()) if change == "text" else b"\n" + content)
    with pytest.raises(
        ConfigError, match="cannot be read again" if change == "gone" else r"cases\.jsonl:5: the file has changed"
    ):
        _ = index["ja-b"]


def test_reference_replies_that_are_missing_are_counted_by_label(file: Path) -> None:
    found = list(CaseIndex.read([file]).labels.values())
    case_files.require_reference([label for label in found if label.id == "ja-b"])
    with pytest.raises(ConfigError, match="3 of 4 cases lack one: ja-first, ja-a, ja-c"):
        case_files.require_reference(found)
