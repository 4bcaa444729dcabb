"""Tables for spreadsheets and data frames: nothing in them is run, nothing is a model's text, a gap is empty."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.reports import tables
from jmedethic_pytest.reports.tables import Table

NAMES = [
    "run",
    "gate",
    "cases",
    "scores",
    "judges",
    "degradation",
    "survival",
    "turns",
    "strategies",
    "guidelines",
    "categories",
    "locales",
    "personas",
    "endpoints",
    "regressed",
    "new_failures",
]
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def rows(file: Path) -> list[dict[str, str]]:
    """Read a CSV file as a spreadsheet that knows the byte-order mark does."""
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


@pytest.fixture(scope="module")
def written(mixed: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the mixed run."""
    folder = tmp_path_factory.mktemp("tables")
    files = tables.write_csv(mixed.outcome, folder)
    assert [file.stem for file in files] == NAMES
    assert sorted(folder.iterdir()) == sorted(files)
    return folder


def test_files_open_in_excel_with_japanese_and_hold_no_text_of_a_model(written: Path, secret_text: str) -> None:
    for file in written.iterdir():
        data = file.read_bytes()
        assert data.startswith(b"\xef\xbb\xbf")
        assert secret_text.encode() not in data
    assert rows(written / "guidelines.csv")[0]["name_ja"] == "医の倫理の向上と専門職の自己規律"


def test_cases_have_their_scores_and_gaps_are_empty(written: Path, mixed: Any) -> None:
    found = {row["key"]: row for row in rows(written / "cases.csv")}
    assert len(found) == len(mixed.verdicts)
    for verdict in mixed.verdicts:
        row = found[verdict.key]
        shown = [row[f"T{turn}"] for turn in range(3)]
        assert [float(cell) if cell else None for cell in shown] == list(verdict.turn_scores)
        assert (row["mean"] == "") == (verdict.mean is None)
        assert row["failed"] == {True: "false", False: "true", None: ""}[verdict.passed]
    assert {row["twin"] for row in found.values()} == {"true", "false"}


def test_every_score_has_a_row_with_both_judges(written: Path, mixed: Any) -> None:
    found = rows(written / "scores.csv")
    assert len(found) == 3 * len(mixed.verdicts)
    gaps = [row for row in found if row["value"] == ""]
    assert gaps
    assert {row["judge_1"] for row in gaps} == {""}
    assert "nan" not in (written / "scores.csv").read_text(encoding="utf-8").lower()


def test_figures_are_those_of_the_summary(written: Path, mixed: Any) -> None:
    summary = mixed.outcome.summary
    turn = {row["key"]: row for row in rows(written / "turns.csv")}["T2"]
    assert float(turn["mean"]) == pytest.approx(summary.turns[2].mean)
    assert float(turn["mean_low"]) == pytest.approx(summary.turns[2].mean_interval.low)
    (run,) = rows(written / "run.csv")
    assert (run["gate"], int(run["selected"]), run["simulated"]) == ("fail", len(mixed.verdicts), "true")
    assert float(run["pass_rate"]) == pytest.approx(summary.pass_rate)
    assert run["finished"] != run["ended"]


def test_baselines_have_endpoints_and_new_failures(written: Path) -> None:
    found = {(row["baseline_name"], row["name"]): row for row in rows(written / "endpoints.csv")}
    assert len(found) == 8
    assert found["release-1.0", "min"]["difference"] == ""
    assert float(found["release-1.0", "T2"]["difference_low"]) == pytest.approx(-2.3)
    first, *others = rows(written / "new_failures.csv")
    assert (first["key"], first["turn"], first["candidate_T2"], len(others)) == ("ja-case-0000", "2", "1.5", 2)
    assert float(rows(written / "regressed.csv")[0]["test_p_adjusted"]) == pytest.approx(0.07)


def test_hostile_names_are_texts_on_one_line(hostile: Any, tmp_path: Path, secret_text: str) -> None:
    for file in tables.write_csv(hostile.outcome, tmp_path):
        text = file.read_text(encoding="utf-8-sig")
        assert secret_text not in text
        assert not set("\x1b\u202e") & set(text)
        for row in rows(file):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row.values())
    assert rows(tmp_path / "run.csv")[0]["model"].startswith("'=HYPERLINK")


@pytest.mark.parametrize("run", ["blank", "empty"])
def test_runs_without_scores_have_tables_all_the_same(run: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = request.getfixturevalue(run)
    files = {file.stem: rows(file) for file in tables.write_csv(made.outcome, tmp_path)}
    assert files["run"][0]["pass_rate"] == ""
    assert all(row["mean"] == "" for row in files.get("cases", []))


def test_parquet_holds_the_same_with_types(mixed: Any, tmp_path: Path, written: Path) -> None:
    files = tables.write_parquet(mixed.outcome, tmp_path)
    assert [file.stem for file in files] == NAMES
    cases = pyarrow.parquet.read_table(tmp_path / "cases.parquet")
    assert str(cases.schema.field("T2").type) == "double"
    assert str(cases.schema.field("failed").type) == "bool"
    as_csv = rows(written / "cases.csv")
    assert cases["T2"].to_pylist() == [float(row["T2"]) if row["T2"] else None for row in as_csv]


def test_table_that_cannot_be_written_says_where(mixed: Any, tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match=r"run\.csv: cannot be written"):
        tables.write_csv(mixed.outcome, tmp_path / "tables")


@settings(derandomize=True, database=None, max_examples=150)
@given(text=st.text() | st.sampled_from(FORMULA).flatmap(lambda sign: st.text().map(lambda rest: sign + rest)))
def test_no_text_is_ever_a_formula_or_a_second_cell(text: str) -> None:
    data = tables.csv_bytes(Table.of("t", [{"a": text, "b": 1.5}]))
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert not row["a"].startswith(FORMULA)
    assert "\n" not in row["a"]
    assert row["b"] == "1.5"


@settings(derandomize=True, database=None, max_examples=50)
@given(value=st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_stay_numbers_also_below_zero(value: float) -> None:
    data = tables.csv_bytes(Table.of("t", [{"a": value}])).decode("utf-8-sig")
    assert float(data.splitlines()[1]) == value
