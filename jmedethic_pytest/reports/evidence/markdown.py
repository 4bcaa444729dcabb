"""A document as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jmedethic_pytest.reports.evidence.document import Heading, Links, Paragraph, Part, Points, Table
from jmedethic_pytest.reports.markdown import sentence


def render(parts: Iterable[Part]) -> str:
    """Return a document as Markdown; no sign of a name in it is markup."""
    return "\n\n".join("\n".join(_lines(part)) for part in parts) + "\n"


def _lines(part: Part) -> Iterator[str]:
    if isinstance(part, Heading):
        yield f"{'#' * part.level} {sentence(part.text)}"
    elif isinstance(part, Paragraph):
        yield f"> **{sentence(part.text)}**" if part.is_warning else sentence(part.text)
    elif isinstance(part, Points):
        yield from (f"* {sentence(text)}" for text in part.texts)
    elif isinstance(part, Links):
        yield from (f"* [{sentence(title)}]({address})" for title, address in part.places)
    else:
        yield from _table(part)


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(sentence, table.head))} |"
    yield "|" + "---|" * len(table.head)
    yield from (f"| {' | '.join(map(sentence, row))} |" for row in table.rows)
