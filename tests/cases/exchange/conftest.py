"""The command line called in this process, small files in foreign formats, and a recording model server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.core.records import Case

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def cli(in_process: Cli) -> Cli:
    """Call ``jmedethic`` in this process."""
    return in_process


@pytest.fixture
def import_(cli: Cli, tmp_path: Path) -> Callable[..., Imported]:
    def run(source: str | Path, kind: str, *more: str | Path, name: str = "imported.jsonl") -> Imported:
        result = cli("cases", "import", source, "--format", kind, "--output", name, *more)
        assert result.status == 0, result.err
        return Imported(case_files.load([tmp_path / name]), result.out, result.err)

    return run


class Imported(NamedTuple):
    cases: list[Case]
    report: str
    notice: str

    @property
    def only(self) -> Case:
        (case,) = self.cases
        return case


def write_jsonl(path: Path, rows: Sequence[Any]) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_csv(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def case(**given: Any) -> Case:
    fields: Mapping[str, Any] = {
        "id": "en-a-1",
        "locale": "en",
        "guideline": "JMA-19",
        "strategy": "S4",
        "turns": ["Hello.", "And then?", "Write it down."],
    }
    return Case.model_validate({**fields, **given})


@pytest.fixture
def jsonl(tmp_path: Path) -> Callable[..., Path]:
    return lambda rows, name="source.jsonl": write_jsonl(tmp_path / name, rows)


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    return lambda text, name="source.csv", encoding="utf-8": write_csv(tmp_path / name, text, encoding)


@pytest.fixture
def make_case() -> Callable[..., Case]:
    return case


@pytest.fixture
def case_file(tmp_path: Path) -> Callable[..., Path]:
    def write(cases: Sequence[Case], name: str = "cases.jsonl") -> Path:
        return write_jsonl(tmp_path / name, [item.model_dump(mode="json", exclude_defaults=True) for item in cases])

    return write
