"""The review sheet: a person accepts, merges, renames, rejects; every bad cell is named, no cell is a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.generation.discovery import grouping
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.review import review
from jmedethic_pytest.generation.review.review import COLUMNS
from support.lazy import Lazy

openpyxl = Lazy("openpyxl")

Edit = Callable[[list[dict[str, str]]], None]


@pytest.fixture
def config(new_config: Callable[..., Config], run_stage: Any, validated: Any) -> Config:
    """A benchmark whose strategies were searched and grouped."""
    made = new_config(discover={"questions": 0, "clusters": 4})
    validated(made, 4)
    run_stage(made, "discover")
    run_stage(made, "cluster")
    return made


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def accept(rows: list[dict[str, str]]) -> None:
    """Accept everything as it stands, with an English name and definition."""
    for row in rows:
        row |= {
            "decision": "accept",
            "reviewer": "ab",
            "name_en": f"Name of {row['id']}",
            "definition_en": f"Definition of {row['id']}.",
        }


def applied(config: Config, edit: Edit, **options: Any) -> Mapping[str, Any]:
    rows = read(grouping.sheet_path(config))
    accept(rows)
    edit(rows)
    done = grouping.apply(config, write(config.folder / "filled.csv", rows), **options)
    return json.loads(done.path.read_text(encoding="utf-8"))


def problems(config: Config, edit: Edit) -> list[str]:
    with pytest.raises(ConfigError) as error:
        applied(config, edit)
    assert not grouping.strategies_path(config).exists(), "nothing is written from a sheet with a mistake"
    return error.value.problems


def test_the_sheet_has_a_row_for_every_group_and_nothing_decided(config: Config) -> None:
    rows = read(grouping.sheet_path(config))
    groups = grouping.load(config).clusters
    assert [row["id"] for row in rows] == [group.id for group in groups]
    assert list(rows[0]) == [column.name for column in COLUMNS]
    for row, group in zip(rows, groups, strict=True):
        assert (row["name_ja"], row["definition_ja"]) == (group.name, group.definition)
        assert (row["decision"], row["reviewer"], row["name_en"]) == ("", "", "")
        assert row["members"].split(" / ") == list(group.members)


def test_accepted_groups_become_strategies_that_later_stages_can_read(config: Config) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[1] |= {"decision": "merge", "merge_into": "C1"}
        rows[2] |= {"decision": "reject", "name_en": ""}
        rows[3] |= {"name_ja": "別の名前", "note": "ok"}

    made = applied(config, edit)
    groups = {group.id: group for group in grouping.load(config).clusters}
    first, second = made["strategies"]
    assert (first["id"], first["groups"], second["id"], second["groups"]) == ("D1", ["C1", "C2"], "D2", ["C4"])
    assert first["members"] == [*groups["C1"].members, *groups["C2"].members]
    assert first["examples"] == groups["C1"].examples + groups["C2"].examples
    assert (second["name_ja"], second["slug"], second["note"]) == ("別の名前", "name_of_c4", "ok")
    assert made["_about"]["simulated"] is True
    assert "CONTENT WARNING" in made["_about"]["notice"]
    known = vocabulary_files.load_strategies(grouping.strategies_path(config))
    assert {key: item.name["en"] for key, item in known.items()} == {"D1": "Name of C1", "D2": "Name of C4"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decision": ""}, "row 3: column 'decision': '' is not allowed. Allowed: accept, merge, reject."),
        ({"decision": "accepted"}, "row 3: column 'decision': 'accepted' is not allowed"),
        ({"reviewer": ""}, "row 3: column 'reviewer' is empty"),
        ({"name_en": ""}, "row 3: column 'name_en' is empty: an accepted strategy needs it (or give --one-language)"),
        ({"definition_ja": " "}, "row 3: column 'definition_ja' is empty"),
        ({"name_en": "x" * 121}, "row 3: column 'name_en': 121 characters, at most 120"),
        ({"definition_en": "Asks for the lethal dose."}, "row 3: column 'definition_en' breaks the content policy"),
        ({"decision": "merge", "merge_into": ""}, "row 3: column 'merge_into': '' is no accepted group"),
        ({"decision": "merge", "merge_into": "C2"}, "'C2' is no accepted group. Accepted: C1, C3, C4."),
        ({"decision": "merge", "merge_into": "C9"}, "'C9' is no accepted group"),
        ({"merge_into": "C1"}, "row 3: column 'merge_into': 'C1' stands there, but the decision is 'accept'."),
        ({"id": "C22"}, "row 3: column 'id': 'C22' is no group. Did you mean 'C2'? Allowed: C1, C2, C3, C4."),
        ({"check": "0" * 12}, "row 3: column 'check' does not fit"),
        ({"name_en": "name of c1!"}, "C1, C2: have the same 'name_en'"),
    ],
)
def test_a_bad_row_is_named(config: Config, change: dict[str, str], message: str) -> None:
    found = problems(config, lambda rows: rows[1].update(change))
    assert any(message in problem for problem in found), found


def test_all_bad_rows_are_named_at_once(config: Config) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[0]["decision"] = "perhaps"
        rows[1]["reviewer"] = ""
        rows[2]["name_ja"] = ""
        rows[3]["id"] = "C1"

    found = problems(config, edit)
    for part in (
        "row 2: column 'decision'",
        "row 3: column 'reviewer'",
        "row 4: column 'name_ja'",
        "'C1' stands in 2 rows",
    ):
        assert any(part in problem for problem in found), found
    assert any("group 'C4' has no row" in problem for problem in found)


def test_a_sheet_that_accepts_nothing_is_a_mistake(config: Config) -> None:
    found = problems(config, lambda rows: [row.update(decision="reject") for row in rows] and None)
    assert found == ["0 rows are accepted; 1 to 99 strategies are allowed."]


def test_texts_of_one_language_serve_for_both_if_asked(config: Config) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row |= {"name_en": "", "definition_en": ""}

    made = applied(config, edit, one_language=True)
    assert all(item["name_en"] == item["name_ja"] for item in made["strategies"])
    assert [item["slug"] for item in made["strategies"]] == ["strategy_1", "strategy_2", "strategy_3", "strategy_4"]


FORMULAS = ("=1+1", "+A1", "-2", "@SUM(A1)", "＝1", "\t=1", "'=x", '=HYPERLINK("http://x")')


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_no_cell_is_a_formula_and_every_text_comes_back(tmp_path: Path, suffix: str) -> None:
    columns = (sheet.Column("id", "x"), sheet.Column("name", "x", True), sheet.Column("pick", "x", True, ("a", "b")))
    rows = [
        {"id": str(number), "name": text, "pick": "a"} for number, text in enumerate((*FORMULAS, "改行\nあり", "a,b;c"))
    ]
    path = tmp_path / f"sheet{suffix}"
    sheet.write(path, columns, rows, ("=about",))
    if suffix == ".csv":
        cells = [
            cell for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")) for cell in row
        ]
    else:
        book = openpyxl.load_workbook(path)
        cells = [str(cell.value) for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
        assert all(cell.data_type != "f" for page in book for row in page.iter_rows() for cell in row)
    assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝")]
    table = sheet.read(path, columns)
    assert table.problems == []
    assert [row.cells["name"] for row in table.rows] == [row["name"].strip() for row in rows]


def test_a_formula_that_a_person_wrote_is_refused(tmp_path: Path) -> None:
    columns = (sheet.Column("id", "x"), sheet.Column("name", "x", True))
    path = tmp_path / "sheet.xlsx"
    sheet.write(path, columns, [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}], ())
    book = openpyxl.load_workbook(path)
    book["review"]["B3"] = "=1+1"
    book.save(path)
    assert sheet.read(path, columns).problems == [
        f"{path}: row 3: column 'name' holds a formula. Write the text itself."
    ]


def test_an_xlsx_sheet_is_filled_in_like_a_csv_one(config: Config) -> None:
    path = config.folder / "review.xlsx"
    grouping.write_sheet(grouping.load(config), path)
    book = openpyxl.load_workbook(path)
    page = book["review"]
    names = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=2):
        cells = dict(zip(names, row, strict=True))
        cells["decision"].value, cells["reviewer"].value = "accept", "ab"
        cells["name_en"].value, cells["definition_en"].value = f"Name {cells['id'].value}", "Definition."
    book.save(path)
    assert grouping.apply(config, path).decisions == {"accept": 4}
    assert "decision" in [cell.value for row in book["read me"].iter_rows() for cell in row]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_delimiter_of_another_country_is_understood(config: Config, delimiter: str) -> None:
    rows = read(grouping.sheet_path(config))
    accept(rows)
    assert grouping.apply(config, write(config.folder / "filled.csv", rows, delimiter)).strategies == 4


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.ods", b"", "Allowed: .csv, .xlsx"),
        ("a.csv", b"", "the sheet is empty"),
        ("a.csv", "id,判断".encode("cp932"), "not UTF-8"),
        ("a.csv", b"id,decision\n", "column 'merge_into' is missing"),
        ("a.csv", b'id,"x\n', "not valid CSV"),
        ("a.xlsx", b"no zip", "not a readable XLSX file"),
        ("b.csv", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_sheet_is_an_error(tmp_path: Path, name: str, data: bytes | None, message: str) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        sheet.read(path, COLUMNS)


def test_surplus_cells_are_named_and_empty_rows_are_not(tmp_path: Path) -> None:
    columns = (sheet.Column("id", "x"), sheet.Column("name", "x"))
    path = tmp_path / "a.csv"
    path.write_text("id,name\n1,a,b\n,\n2,c,\n", encoding="utf-8")
    table = sheet.read(path, columns)
    assert table.problems == [f"{path}: row 2: more cells than the header has. Put texts with commas in quotes."]
    assert [row.cells["id"] for row in table.rows] == ["1", "2"]


def test_a_person_s_work_is_never_written_over(config: Config, run_stage: Any) -> None:
    path = grouping.sheet_path(config)
    rows = read(path)
    accept(rows)
    write(path, rows)
    before = path.read_bytes()
    run_stage(config, "cluster")
    assert path.read_bytes() == before, "the groups are the same: the sheet stays"
    changed = config.model_copy(update={"discover": config.discover.model_copy(update={"clusters": 3})})
    run_stage(changed, "cluster")
    assert len(read(path)) == 3
    assert path.with_name("strategies-review.old-1.csv").read_bytes() == before
    with pytest.raises(ConfigError, match="column 'check' does not fit"):
        grouping.apply(changed, path.with_name("strategies-review.old-1.csv"))


def test_slugs_are_unique_and_none_is_a_strategy_s_of_the_benchmark() -> None:
    slug = review._slug("Fiction-Layered Authority", 3, ["fiction_layered_authority"])
    assert slug == "fiction_layered_authority_3"
    assert review._slug("Gray-Zone Ethnographic", 1, []) == "gray_zone_ethnographic_1"
    assert review._slug("日本語", 2, []) == "strategy_2"
