"""A document for Word (and LibreOffice), by python-docx."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jmedethic_pytest.core.errors import not_installed
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.reports.evidence.document import Heading, Links, Paragraph, Part, Points, Table

_FONT = {"ja": "Yu Gothic", "en": "Calibri"}
_TABLE = "Light Grid Accent 1"


def render(parts: Iterable[Part], language: str, moment: str) -> bytes:
    """Return a document in the format of Word.

    Args:
        parts: what it holds.
        language: of its texts: ``ja`` or ``en``.
        moment: of the run, ISO 8601; the document says that it was made then, so that equal runs give equal documents.

    Raises:
        ConfigError: if python-docx is not installed.
    """
    try:
        from docx import Document
    except ImportError:
        raise not_installed("--format docx", "python-docx", "docx") from None
    document = Document()
    _set_page(document)
    _set_language(document, language)
    properties = document.core_properties
    properties.author = "jmedethic-pytest"
    properties.language = language
    properties.created = properties.modified = datetime.fromisoformat(moment)
    for part in parts:
        if isinstance(part, Heading):
            document.add_heading(visible(part.text), level=part.level - 1)
            properties.title = properties.title or visible(part.text)
        elif isinstance(part, Paragraph):
            document.add_paragraph().add_run(visible(part.text)).bold = part.is_warning
        elif isinstance(part, Points | Links):
            texts = part.texts if isinstance(part, Points) else [f"{title}: {at}" for title, at in part.places]
            for text in texts:
                document.add_paragraph(visible(text), style="List Bullet")
        else:
            _add_table(document, part)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_page(document: Any) -> None:
    """Set A4 and narrow margins: the tables need the room."""
    from docx.shared import Mm

    (page,) = document.sections
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(18)


def _set_language(document: Any, language: str) -> None:
    """Set the fonts, the East Asian one too, which Word takes from nowhere else, and the language for spelling."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement
    from docx.shared import Pt

    style = document.styles["Normal"]
    style.font.name, style.font.size = _FONT[language], Pt(10)
    for name in ("Normal", "Title", *(f"Heading {level}" for level in (1, 2))):
        properties = document.styles[name].element.get_or_add_rPr()
        properties.get_or_add_rFonts().set(qn("w:eastAsia"), _FONT["ja"])
        told = OxmlElement("w:lang")
        told.set(qn("w:val"), "en-GB")
        told.set(qn("w:eastAsia"), "ja-JP")
        properties.append(told)


def _add_table(document: Any, table: Table) -> None:
    made = document.add_table(rows=1, cols=len(table.head), style=_TABLE)
    for cells, texts in ((made.rows[0].cells, table.head), *((made.add_row().cells, row) for row in table.rows)):
        for cell, text in zip(cells, texts, strict=True):
            cell.text = visible(text)
    document.add_paragraph()
