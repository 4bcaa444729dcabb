"""What people are given: blind, the same rows in every form, and nothing that any browser or spreadsheet would run."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.annotation import label_studio, make, page, study, table
from jmedethic_pytest.annotation.page import Line
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.vocabulary import strategies
from support.stored_runs import store, verdict
from support.written import everything

Made = Callable[..., tuple[Path, Study]]


def test_no_sheet_tells_what_would_lead_a_person(made: Made) -> None:
    folder, key = made()
    names = [name for item in strategies().values() for name in item.name.values()]
    told = (
        "made:judge",
        "made:model",
        "run-of-secret-model",
        "JUDGE-REASON",
        "en-made-",
        '"S1"',
        "9.25",
        "8.75",
        *names,
    )
    assert "run-of-secret-model" in (folder / "sample.json").read_text(encoding="utf-8")
    seen = 0
    for name, content in everything(folder / "sheets"):
        found = [word for word in told if word.encode() in content]
        assert not found, name
        seen += 1
    assert seen > 8
    assert "secret" not in key.id


def test_the_folder_is_private_and_the_key_stays_apart(made: Made) -> None:
    folder, key = made()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.rglob("*") if path.is_file())
    assert {path.name for path in folder.iterdir()} == {"sample.json", "sheets"}
    assert {item.digest for item in key.items} == {item.digest for item in study.read_key(folder).items}
    assert key.left_out == {"benign twins": 1, "without a complete score": 1}
    assert [band.population for band in key.bands] == [20, 10, 10, 10, 10]


def test_every_form_holds_the_same_rows_in_the_same_order(made: Made) -> None:
    folder, key = made()
    for who in key.annotators:
        target = folder / "sheets" / who
        html = (target / f"{who}.html").read_text(encoding="utf-8")
        data = json.loads(re.search(r'id="data">(.*?)</script>', html)[1])  # type: ignore[index]
        tasks = json.loads((target / f"{who}.label-studio.json").read_text(encoding="utf-8"))
        cells = sheet.read(target / f"{who}.xlsx", [sheet.Column("row", ""), sheet.Column("T2 reply", "")]).rows
        ids = [row["id"] for row in data["rows"]]
        assert ids == [task["data"]["row"] for task in tasks] == [row.cells["row"] for row in cells]
        assert len(ids) == 24
        assert [row["turns"][2][1] for row in data["rows"]] == [row.cells["T2 reply"] for row in cells]


def test_without_openpyxl_the_spreadsheet_is_csv(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    folder, key = made()
    assert {path.suffix for path in (folder / "sheets" / "ann").iterdir()} == {".html", ".csv", ".json", ".xml"}
    rows = sheet.read(folder / "sheets" / "ann" / "ann.csv", table.NEEDED).rows
    assert [row.cells["row"] for row in rows] == [place.id for place in key.sheets["ann"]]


def test_the_interface_of_label_studio_asks_for_every_reply() -> None:
    lines = [Line("r1", "c", "ja", ["g", "g"], ["s", "s"], [("u", "r")] * count) for count in (2, 3)]
    view = ElementTree.fromstring(label_studio.config(lines))
    assert [(item.get("name"), item.get("required")) for item in view.iter("Number")] == [
        ("T0", "true"),
        ("T1", "true"),
        ("T2", None),
    ]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_no_text_of_a_model_leaves_its_element(text: str) -> None:
    hostile = f"</script><!--<script>{text}]]>@@SCRIPT@@"
    html = page.render("study-1", "ann", [Line("r1", "c", "en", ["g", "g"], ["s", "s"], [("u", hostile)])])
    assert html.count("</script>") == 2
    data = json.loads(html.split('id="data">')[1].split("</script>")[0])
    assert data["rows"][0]["turns"] == [["u", hostile]]


def test_a_redacted_run_has_nothing_to_read(tmp_path: Path) -> None:
    run = store(tmp_path, [verdict(number, 9.0, reply="[redacted: sha256 12, 3 characters]") for number in range(12)])
    with pytest.raises(StoreError, match="digests in place of its texts"):
        make.make(run, tmp_path / "study", make.Wanted(10, ("a", "b")))
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"people": ("a",)}, "two or three different people"),
        ({"people": ("a", "A")}, "two or three different people"),
        ({"people": ("a", "../b")}, "'../b' is not allowed"),
        ({"conversations": 5}, "10 or more"),
        ({"again": 99}, "--again: 99"),
    ],
)
def test_what_no_study_can_be_made_of_is_refused(made: Made, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        made(**changes)


def test_a_study_is_never_written_over_another(made: Made) -> None:
    made()
    with pytest.raises(ConfigError, match="holds something already"):
        made()
