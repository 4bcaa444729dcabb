"""Export, and the way back: the same cases through every format."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.exchange import flat

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''@x", "＝1", "'", "it's", "'quoted'"]


@pytest.fixture
def varied(make_case):
    return [
        make_case(
            id="ja-a-1",
            locale="ja",
            suites=["core", "a, b"],
            tags=["x", '日本語 と "quotes"'],
            persona="physician",
            harm_class="records",
            question='一行目\n二行目, "引用"',
            turns=["=1+1 を計算して。", "-", "改行\r\nあり\tタブ"],
            expected=["@a", "+b", "c"],
            reference=["'=x", "-y"],
            fail_if='=HYPERLINK("x")',
        ),
        make_case(id="en-a-1-twin", twin_of="a-1"),
        make_case(id="en-b-1", guideline="other", strategy="direct", turns=["one"]),
        make_case(id="en-c-1", turns=[str(number) for number in range(10)]),
        make_case(
            id="en-d-1",
            expected=["e"] * len(make_case().turns),
            reviewed_by=["A. Physician", "=B"],
            reviewed_on="2026-12-01",
            canary="keep out of training corpora: 26b5c67b-b86f-4a3b-9b3f-0d6a2f2a1c11",
            turns_if_refused=["=1", "-"],
            turns_if_complied=["go on", "and on"],
            expected_if_refused=["@", "f"],
            expected_if_complied=["stops", "stops"],
        ),
    ]


def export(cli, *arguments):
    result = cli("cases", "export", *arguments)
    assert result.status == 0, result.err
    return result


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_cases_come_back_as_they_were(cli, import_, case_file, varied, tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    result = export(cli, "--cases", case_file(varied), "--output", f"out.{kind}")
    assert "5 cases" in result.out
    found = import_(tmp_path / f"out.{kind}", "table", name="back.jsonl")
    assert found.cases == varied
    assert case_files.digest(found.cases) == case_files.digest(varied)
    assert "all fields <- our own export" in found.report


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_bundled_cases_come_back_as_they_were(cli, import_, tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    export(cli, "--output", f"out.{kind}", "--suite", "smoke")
    found = import_(tmp_path / f"out.{kind}", "table").cases
    assert found == [case for case in case_files.load() if "smoke" in case.suites]


def test_no_cell_of_a_csv_file_starts_a_formula(cli, case_file, varied, tmp_path):
    export(cli, "--cases", case_file(varied), "--format", "csv", "--output", "out.csv")
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines(keepends=True)))
    assert {row[0][:1] for row in rows[1:]} == {"1"}
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
    assert "'=1+1 を計算して。" in cells


@pytest.mark.parametrize(
    "before", ["", " ", "\u200b", "'", "''", "\u00a0", "\ufeff", "\u3000", "\x00", "\u202e ", "\u2060"]
)
@pytest.mark.parametrize("sign", [*"=+-@|＝＋－＠", "\u2212", "\ufe66"])
def test_what_a_spreadsheet_strips_before_it_looks_hides_no_formula(before, sign):
    text = f"{before}{sign}1"
    assert flat.escape(text) == f"'{text}"
    assert flat.unescape(flat.escape(text)) == text


@given(st.one_of(st.text(), st.sampled_from(DANGEROUS)))
def test_escaping_is_undone_exactly(text):
    assert flat.unescape(flat.escape(text)) == text
    assert not flat.escape(text).startswith(tuple("=+-@\t\r＝＋－＠"))


def test_only_what_is_asked_for_is_exported(cli, case_file, varied, tmp_path):
    source = case_file(varied)
    export(cli, "--cases", source, "--output", "ja.jsonl", "--locale", "ja")
    export(cli, "--cases", source, "--output", "core.jsonl", "--suite", "core")
    assert case_files.load([tmp_path / "ja.jsonl"]) == case_files.load([tmp_path / "core.jsonl"]) == varied[:1]


def test_an_exported_file_is_a_file_of_cases(cli, case_file, varied, tmp_path):
    source = case_file(varied)
    export(cli, "--cases", source, "--output", "deep/out.jsonl")
    assert (tmp_path / "deep" / "out.jsonl").read_bytes() == source.read_bytes()


def test_parquet_holds_lists(cli, case_file, varied, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    export(cli, "--cases", case_file(varied), "--output", "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 5
    assert table.column("turns").to_pylist()[2] == ["one"]
    assert table.column("twin_of").to_pylist() == [None, "a-1", None, None, None]
    assert table.column("turns_if_refused").to_pylist()[4] == ["=1", "-"]


def test_the_notice_goes_where_the_cases_go(cli, import_, jsonl, tmp_path):
    row = {"task": "Privacy", "method": "m", "scene": "s", "id": 1, "history": [{"user": "Hello?", "bot": "Hi."}]}
    import_(jsonl([row]), "safedialbench", name="sdb.jsonl")
    notice = (tmp_path / "sdb.NOTICE.txt").read_text()
    export(cli, "--cases", "sdb.jsonl", "--output", "sheet/out.csv")
    assert (tmp_path / "sheet" / "out.NOTICE.txt").read_text() == notice
    back = import_(tmp_path / "sheet" / "out.csv", "table", name="deep/back.jsonl")
    assert back.only.guideline == "SDB-1", "the words of a foreign list go along with its cases"
    assert (tmp_path / "deep" / "back.NOTICE.txt").read_text() == notice
    assert "SafeDialBench" in back.notice


def test_a_suite_is_added_to_what_the_cases_say(cli, import_, case_file, varied, tmp_path):
    export(cli, "--cases", case_file(varied), "--output", "out.csv")
    found = import_(tmp_path / "out.csv", "table", "--suite", "mine").cases
    assert [case.suites for case in found] == [("core", "a, b", "mine"), *[("mine",)] * 4]


# ------------------------------------------------------------------ mistakes


def edited(cli, case_file, varied, tmp_path, before, after):
    export(cli, "--cases", case_file(varied), "--output", "out.csv")
    path = tmp_path / "out.csv"
    text = path.read_text(encoding="utf-8-sig")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    result = cli("cases", "import", path, "--format", "table", "--output", "back.jsonl")
    assert result.status == 4
    assert not (tmp_path / "back.jsonl").exists()
    return result.err


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("en-b-1", "en-c-1", "field 'id': 'en-c-1' stands already at"),
        ("en-b-1", "EN B", "field 'id': 'EN B' is not allowed"),
        ("physician", "wizard", "field 'persona': 'wizard' is not allowed"),
        (",direct,", ",S9,", "field 'strategy': unknown value 'S9'"),
        (",direct,", ",dirct,", "Did you mean 'direct'?"),
        ('"[""core"", ""a, b""]"', "core", "suites and tags must be JSON lists"),
        ("fail_if", "fail", "unknown field 'fail'"),
        ("1,en-b-1", "2,en-b-1", "field 'schema_version'"),
    ],
)
def test_a_mistake_made_in_a_spreadsheet_is_named_and_nothing_is_written(
    cli, case_file, varied, tmp_path, before, after, said
):
    assert said in edited(cli, case_file, varied, tmp_path, before, after)


def test_a_foreign_table_without_a_mapping_is_told_to_get_one(cli, csv_file):
    result = cli("cases", "import", csv_file("q\nA?\n"), "--format", "table", "--output", "a.jsonl")
    assert result.status == 4
    assert "not the columns of our own export. Columns: q. Next: " in result.err
    assert "--mapping FILE.toml" in result.err


def test_options_that_contradict_an_export_are_errors(cli, case_file, varied):
    export(cli, "--cases", case_file(varied), "--output", "out.csv")
    arguments = ("--format", "table", "--output", "a.jsonl", "--locale", "ja", "--twins")
    result = cli("cases", "import", "out.csv", *arguments)
    assert result.status == 4
    assert result.err.splitlines() == [
        "ERROR: --locale: our own export says this in every row.",
        "ERROR: --twins: our own export says this in every row.",
    ]


def test_bad_options_of_an_export(cli, case_file, varied, tmp_path, monkeypatch):
    source = case_file(varied)

    def said(*arguments):
        result = cli("cases", "export", "--cases", source, *arguments)
        assert result.status == 4
        return result.err

    assert "--format: unknown value 'xlsx'. Allowed: jsonl, csv, parquet." in said("--output", "a.xlsx")
    assert "--locale: unknown value 'fr'" in said("--output", "a.csv", "--locale", "ja,fr")
    assert "suite: unknown value 'cor'. Did you mean 'core'?" in said("--output", "a.csv", "--suite", "cor")
    assert "nothing to export: no case is in suite 'core' and in en." in said(
        "--output", "a.csv", "--suite", "core", "--locale", "en"
    )
    assert f"--output: {source} exists already" in said("--output", source, "--format", "jsonl")
    assert "Give the name of a file." in said("--output", tmp_path, "--format", "jsonl", "--force")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "pip install 'jmedethic-pytest[parquet]'" in said("--output", "a.parquet")


def test_a_folder_that_cannot_be_written(cli, case_file, varied, tmp_path):
    (tmp_path / "file").write_text("")
    result = cli("cases", "export", "--cases", case_file(varied), "--output", "file/out.jsonl")
    assert result.status == 6
    assert "cannot be written" in result.err


def test_lines_are_those_of_the_shipped_files(cli, case_file, varied, tmp_path):
    export(cli, "--cases", case_file(varied[2:3]), "--output", "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {
        "id": "en-b-1",
        "locale": "en",
        "guideline": "other",
        "strategy": "direct",
        "turns": ["one"],
    }


def test_a_sign_off_in_a_sheet_comes_back_with_it(cli, import_, case_file, make_case, tmp_path):
    """A clinician fills two cells in by hand, as plain words."""
    export(cli, "--cases", case_file([make_case(id="en-a-1"), make_case(id="en-a-2")]), "--output", "sheet.csv")
    with (tmp_path / "sheet.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0].update(reviewed_by="A. Physician; B. Lawyer", reviewed_on="2026-12-01")
    with (tmp_path / "signed.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    signed, other = import_(tmp_path / "signed.csv", "table", name="back.jsonl").cases
    assert (signed.reviewed_by, signed.reviewed_on) == (("A. Physician", "B. Lawyer"), "2026-12-01")
    assert (other.reviewed_by, other.reviewed_on) == ((), "")
