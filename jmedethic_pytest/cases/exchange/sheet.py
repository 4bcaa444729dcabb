"""Sheets that a person fills in: CSV, or XLSX where openpyxl is installed; read back with every bad cell named.

A cell that a spreadsheet would run as a formula is written with an apostrophe before it and read back without; an XLSX
cell that holds a formula nonetheless is an error, never a value.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.cases.exchange.flat import escape, unescape
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.text import one_line

SUFFIXES = (".csv", ".xlsx")
_MAX_CELL = 32_000
"""Characters of a cell; spreadsheets cut at 32,767."""
_TITLE = "review"
_LARGEST_BOOK = 128 * 2**20
"""Bytes that the parts of an XLSX file may have together, unpacked."""
_MOST_ROWS = 100_000
_MORE_COLUMNS = 20
"""Columns of the reader's own that are looked at beside those of the sheet."""


class Column(NamedTuple):
    """A column of a sheet."""

    name: str
    help: str
    """What it says, or what to write."""
    editable: bool = False
    choices: tuple[str, ...] = ()
    """What may stand in it, for a list to choose from."""
    width: int = 18
    """Characters shown."""


class Row(NamedTuple):
    """A row as it was read."""

    place: str
    """File and row, for messages."""
    cells: dict[str, str]
    """Text by column; empty cells are empty texts."""


class Table(NamedTuple):
    """What a sheet holds, and what is wrong with single rows of it."""

    rows: list[Row]
    problems: list[str]


def check_name(path: Path, option: str) -> None:
    """Refuse a file that no sheet can be written to or read from.

    Raises:
        ConfigError: for an unknown ending, or XLSX without openpyxl.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(unknown(f"{option}: ending of {path}", path.suffix, SUFFIXES))
    if path.suffix.lower() == ".xlsx":
        _openpyxl()


def write(path: Path, columns: Sequence[Column], rows: Sequence[Mapping[str, str]], about: Sequence[str]) -> None:
    """Write a sheet at one stroke, for its owner alone: it may hold texts of models.

    Args:
        path: the file; its ending decides the kind.
        columns: in order.
        rows: text by column name; what is missing is empty.
        about: lines for whoever fills it in (on a sheet of their own in XLSX).

    Raises:
        ConfigError: for an unknown ending, or XLSX without openpyxl.
        StoreError: if the file cannot be written.
    """
    check_name(path, "--sheet")
    cells = [[escape(row.get(column.name, ""))[:_MAX_CELL] for column in columns] for row in rows]
    data = _xlsx(columns, cells, about) if path.suffix.lower() == ".xlsx" else _csv(columns, cells)
    files.replace(path, data, "Give another file (--sheet).", private=True)


def read(path: Path, columns: Sequence[Column], more: Sequence[Column] = ()) -> Table:
    """Return the rows of a sheet that are not empty; formulas and surplus cells are problems of their row.

    Args:
        path: the file.
        columns: those that must be there.
        more: those that may be; whatever stands in the header is read.

    Raises:
        ConfigError: if it cannot be read, or a column is missing or stands there twice.
    """
    check_name(path, "--apply")
    try:
        table = list(_rows_xlsx(path, len(columns) + len(more)) if path.suffix.lower() == ".xlsx" else _rows_csv(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None
    if not table:
        raise ConfigError(f"{path}: the sheet is empty.")
    header = [name.strip() for name in table[0][1]]
    missing = [column.name for column in columns if column.name not in header]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if missing or twice:
        problems = [f"{path}: column {name!r} is missing. Use the sheet that was written." for name in missing]
        raise ConfigError(problems + [f"{path}: column {name!r} stands there twice." for name in twice])
    found = Table([], [])
    for number, cells in table[1:]:
        place = f"{path}: row {number}"
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            found.problems.append(f"{place}: more cells than the header has. Put texts with commas in quotes.")
        values = dict(zip(header, (unescape(cell).strip() for cell in cells), strict=False))
        found.problems.extend(
            f"{place}: column {name!r} holds a formula. Write the text itself."
            for name in values
            if values[name] == _FORMULA
        )
        if any(values.values()):
            found.rows.append(Row(place, {name: values.get(name, "") for name in header if name}))
    return found


_FORMULA = "\x00formula"
"""Stands for a cell with a formula: no cell can hold a NUL."""


def _csv(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> bytes:
    """Return CSV with a byte-order mark, without which Excel shows Japanese as noise."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([column.name for column in columns])
    writer.writerows(cells)
    return stream.getvalue().encode("utf-8-sig", errors="replace")


def _xlsx(columns: Sequence[Column], cells: Sequence[Sequence[str]], about: Sequence[str]) -> bytes:
    openpyxl = _openpyxl()
    styles, validation = openpyxl.styles, openpyxl.worksheet.datavalidation
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _TITLE
    sheet.freeze_panes = "B2"
    wrap = styles.Alignment(wrap_text=True, vertical="top")
    fill = styles.PatternFill("solid", fgColor="FFF4CE")
    for index, column in enumerate(columns, start=1):
        letter = openpyxl.utils.get_column_letter(index)
        sheet.column_dimensions[letter].width = column.width
        head = sheet.cell(1, index, column.name)
        head.font, head.alignment = styles.Font(bold=True), wrap
        for number, row in enumerate(cells, start=2):
            cell = sheet.cell(number, index)
            cell.value, cell.data_type = _printable(row[index - 1]) or None, "s"  # a text, whatever it looks like
            cell.alignment = wrap
            if column.editable:
                cell.fill = fill
        if column.choices and cells:
            allowed = validation.DataValidation("list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
            sheet.add_data_validation(allowed)
            allowed.add(f"{letter}2:{letter}{len(cells) + 1}")
    _explain(book.create_sheet("read me"), columns, about, wrap)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _explain(sheet: Any, columns: Sequence[Column], about: Sequence[str], wrap: Any) -> None:
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 100
    lines = [*(("", line) for line in about), ("", ""), *((column.name, column.help) for column in columns)]
    for number, (name, text) in enumerate(lines, start=1):
        for index, value in enumerate((name, text), start=1):
            cell = sheet.cell(number, index)
            cell.value, cell.data_type = escape(value) or None, "s"
            cell.alignment = wrap


def _printable(text: str) -> str:
    """Drop the control characters that XML cannot carry."""
    return "".join(character for character in text if character >= " " or character in "\t\n\r")


def _rows_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(files.LONGEST_LINE)
    try:
        text = files.read(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8. Save it as 'CSV UTF-8' in the spreadsheet.") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)  # spreadsheets write what their country uses
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ConfigError(f"{path}: line {reader.line_num}: not valid CSV: {error}.") from None
        if cells is None:
            return
        yield number, cells
        number += 1


def _rows_xlsx(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    openpyxl = _openpyxl()
    try:
        _check_parts(path)
        book = openpyxl.load_workbook(path, read_only=True)
        sheet = book[_TITLE] if _TITLE in book.sheetnames else book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(max_col=width + _MORE_COLUMNS), start=1):
            if number > _MOST_ROWS:
                raise ValueError(f"it has a cell below row {_MOST_ROWS:,}")
            values = [_cell(cell) for cell in cells]
            if number == 1 or any(values):
                yield number, values
        book.close()
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - what a library says of a file that somebody broke may be of any kind
        reason = one_line(str(error) or type(error).__name__, 200)
        raise ConfigError(f"{path}: not a readable XLSX file: {reason}. Save it anew in the spreadsheet.") from None


def _check_parts(path: Path) -> None:
    """Refuse what would need more memory than any sheet of ours: a small file can unpack to gigabytes.

    Raises:
        OSError: if the file cannot be read.
        ValueError: for such a file.
        BadZipFile: if it is no XLSX file at all.
    """
    with files.open_ordinary(path) as stream, zipfile.ZipFile(stream) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
    if unpacked > _LARGEST_BOOK:
        raise ValueError(f"it unpacks to {unpacked // 2**20:,} MiB, more than {_LARGEST_BOOK // 2**20} MiB")


def _cell(cell: Any) -> str:
    if cell.data_type == "f":
        return _FORMULA
    return "" if cell.value is None else str(cell.value)


def _openpyxl() -> Any:
    try:
        import openpyxl  # type: ignore[import-untyped]
        import openpyxl.worksheet.datavalidation  # type: ignore[import-untyped]
    except ImportError:
        raise ConfigError(
            "XLSX needs openpyxl. Next: pip install 'jmedethic-pytest[review]', or give a file that ends in .csv."
        ) from None
    return openpyxl
