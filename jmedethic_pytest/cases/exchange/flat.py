"""A case as one flat row for spreadsheets, and back without loss.

Turns, replies and what is expected become numbered columns (``turn_0``, ...), other lists JSON. A cell that a
spreadsheet would run as a formula gets an apostrophe before it, which reading takes away again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jmedethic_pytest.core import strict_json
from jmedethic_pytest.core.records import Case

_NUMBERED = {
    "turns": "turn",
    "turns_if_refused": "turn_if_refused",
    "turns_if_complied": "turn_if_complied",
    "expected": "expected",
    "expected_if_refused": "expected_if_refused",
    "expected_if_complied": "expected_if_complied",
    "reference": "reference",
}
_NAMES = ("reviewed_by",)
"""Lists that a person may also fill in by hand: names with semicolons between them."""
_LISTS = ("suites", "tags", "components", "reviewed_by")
_COLUMN = re.compile(rf"({'|'.join(_NUMBERED.values())})_(\d+)")
_UNSEEN = r"\s\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
"""White space, and what is drawn as nothing: spreadsheets strip some of it before they look for a formula."""
_FORMULA = re.compile(rf"'*(?:[{_UNSEEN}]*[=+\-@|\u2212\ufe62\ufe63\ufe66\ufe6b＝＋－＠]|[\t\r\n])")


def columns(cases: Sequence[Case]) -> list[str]:
    """Return the columns that hold these cases."""
    names: list[str] = []
    for field in Case.model_fields:
        if field in _NUMBERED:
            width = max((len(getattr(case, field)) for case in cases), default=0)
            names += [f"{_NUMBERED[field]}_{index}" for index in range(width)]
        else:
            names.append(field)
    return names


def row(case: Case) -> dict[str, str]:
    """Return the cells of a case that are not empty, safe to open in a spreadsheet."""
    cells: dict[str, str] = {}
    for field, value in case.model_dump(mode="json").items():
        if field in _NUMBERED:
            cells.update({f"{_NUMBERED[field]}_{index}": text for index, text in enumerate(value)})
        elif isinstance(value, list):
            cells[field] = json.dumps(value, ensure_ascii=False) if value else ""
        elif value is not None:
            cells[field] = str(value)
    return {name: escape(text) for name, text in cells.items() if text}


def fields(cells: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the fields of a case from the cells that :func:`row` wrote.

    Raises:
        ValueError: for a list that is not JSON.
    """
    found: dict[str, Any] = {}
    numbered: dict[str, dict[int, str]] = {field: {} for field in _NUMBERED}
    by_column = {column: field for field, column in _NUMBERED.items()}
    for name, cell in cells.items():
        if not cell:
            continue
        text = unescape(cell)
        match = _COLUMN.fullmatch(name)
        if match:
            numbered[by_column[match[1]]][int(match[2])] = text
        elif name in _LISTS and (name not in _NAMES or text.startswith("[")):
            found[name] = strict_json.value(text)
        elif name in _NAMES:
            found[name] = [part.strip() for part in text.split(";") if part.strip()]
        elif name == "schema_version":
            found[name] = int(text)
        else:
            found[name] = text
    return found | {field: [texts[index] for index in sorted(texts)] for field, texts in numbered.items() if texts}


def escape(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape(text: str) -> str:
    """Undo :func:`escape`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
