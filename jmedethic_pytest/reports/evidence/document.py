"""A document as plain parts, which Markdown and Word are written from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Heading(NamedTuple):
    """A heading; level 1 is the document's title."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """A paragraph, or a warning that must not be missed."""

    text: str
    is_warning: bool = False


class Points(NamedTuple):
    """A list of sentences."""

    texts: Sequence[str]


class Table(NamedTuple):
    """A table of texts."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Links(NamedTuple):
    """A list of documents of others: title and address. Both are ours, so an address may be one."""

    places: Sequence[tuple[str, str]]


Part = Heading | Paragraph | Points | Table | Links
