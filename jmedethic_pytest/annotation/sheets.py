"""Everybody's sheet in every form: a page, a spreadsheet, and an import for Label Studio; all with the same rows.

A sheet is blind: it holds transcript, guideline and rubric. The model, the strategy, the judges' scores, the band and
what others marked are not in it; the name of a row tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jmedethic_pytest.annotation import label_studio, page, table
from jmedethic_pytest.annotation.page import Line
from jmedethic_pytest.annotation.study import SHEETS, Shown, Study
from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.vocabulary import Vocabulary


def folder_of(folder: Path, annotator: str) -> Path:
    """Return where a person's sheet lies in the folder of the study."""
    return folder / SHEETS / annotator


def write(folder: Path, study: Study, annotator: str, texts: Mapping[str, Shown], words: Vocabulary) -> None:
    """Write the sheet of a person in every form.

    Args:
        folder: of the study.
        study: the key.
        annotator: whose sheet.
        texts: what is shown of each conversation.
        words: the vocabulary of the run; it knows the guidelines.

    Raises:
        StoreError: if it cannot be written.
    """
    target = folder_of(folder, annotator)
    try:
        target.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{target}: cannot be made: {error.strerror}.") from None
    by_key = study.by_key
    lines = [
        _line(place.id, by_key[place.key].check(place.id), texts[place.key], words) for place in study.sheets[annotator]
    ]
    files.replace(target / f"{annotator}.html", page.render(study.id, annotator, lines), private=True)
    columns, cells = table.columns(max(len(line.turns) for line in lines)), table.rows(lines)
    sheet.write(_spreadsheet(target / f"{annotator}.xlsx"), columns, cells, table.about())
    tasks = files.as_json(label_studio.tasks(lines))
    files.replace(target / f"{annotator}.label-studio.json", tasks, private=True)
    files.replace(target / "label-studio.xml", label_studio.config(lines), private=True)


def _line(name: str, check: str, text: Shown, words: Vocabulary) -> Line:
    guideline = words.guideline(text.guideline)
    title, summary = ([both["en"], both["ja"]] for both in (guideline.title, guideline.summary))
    return Line(name, check, text.locale, title, summary, list(text.turns))


def _spreadsheet(path: Path) -> Path:
    """Return the name of the spreadsheet: CSV where openpyxl is missing."""
    try:
        sheet.check_name(path, "--out")
    except ConfigError:
        return path.with_suffix(".csv")
    return path
