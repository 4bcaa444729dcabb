"""XLSX files that somebody broke, locked, or made to fill the memory: words, never a traceback."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core.errors import ConfigError
from support.lazy import Lazy

openpyxl = Lazy("openpyxl")
COLUMNS = [sheet.Column("id", "which"), sheet.Column("decision", "what to do", editable=True)]
SHEET = "xl/worksheets/sheet1.xml"
HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TITLES = "".join(
    [
        '<row r="1">',
        '<c r="A1" t="inlineStr"><is><t>id</t></is></c>',
        '<c r="B1" t="inlineStr"><is><t>decision</t></is></c>',
        "</row>",
    ]
)
Parts = dict[str, bytes]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """The parts of a sound sheet of one row."""
    sheet.write(tmp_path / "good.xlsx", COLUMNS, [{"id": "a", "decision": "keep"}], [])
    with zipfile.ZipFile(tmp_path / "good.xlsx") as book:
        return {name: book.read(name) for name in book.namelist()}


def _packed(parts: Parts) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return stream.getvalue()


def _encrypted(parts: Parts) -> bytes:
    data = bytearray(_packed(parts))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        for found in re.finditer(re.escape(mark), bytes(data)):
            data[found.start() + offset] |= 1
    return bytes(data)


def _sheet(rows: str) -> Callable[[Parts], bytes]:
    return lambda parts: _packed({**parts, SHEET: f"{HEAD}{rows}</sheetData></worksheet>".encode()})


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: b"",
        lambda _: b"PK\3\4 nothing more",
        lambda _: _packed({}),
        lambda parts: _packed({**parts, SHEET: b"<a><b>"}),
        lambda parts: _packed({**parts, "xl/media/bomb": b"\0" * (129 * 2**20)}),
        lambda parts: _packed(parts)[:-40],
        _encrypted,
        _sheet(TITLES + '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
        _sheet(TITLES + '<row r="2"><c r="A2" t="s"><v>99999999</v></c></row>'),
    ],
    ids=["empty", "no zip", "no parts", "no XML", "bomb", "cut", "locked", "far down", "text gone"],
)
def test_broken_file_is_refused_in_one_line(tmp_path: Path, parts: Parts, broken: Callable[[Parts], bytes]) -> None:
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(broken(parts))
    with pytest.raises(ConfigError, match=r"sheet\.xlsx: not a readable XLSX file: [^\n]+ Save it anew"):
        sheet.read(path, COLUMNS)


def test_gaps_and_columns_of_ones_own_are_read(tmp_path: Path, parts: Parts) -> None:
    more = '<row r="5000"><c r="A5000" t="inlineStr"><is><t>b</t></is></c></row>'
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(_sheet(TITLES + more)(parts))
    assert sheet.read(path, COLUMNS).rows == [sheet.Row(f"{path}: row 5000", {"id": "b", "decision": ""})]


def test_sheet_is_for_its_owner_alone(tmp_path: Path) -> None:
    for name in ("sheet.csv", "sheet.xlsx"):
        sheet.write(tmp_path / name, COLUMNS, [], [])
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
