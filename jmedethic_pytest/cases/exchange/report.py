"""What an import did: which column became what, what was ignored, and why rows were dropped. Nothing goes unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Report:
    """Collected while rows are read; printed at the end."""

    mapping: dict[str, str] = field(default_factory=dict)
    """Field of a case to the columns (or the fixed value) it is made from."""
    ignored: list[str] = field(default_factory=list)
    """Columns that were not used."""
    rows: int = 0
    """Rows that were read or dropped."""
    cases: Counter[str] = field(default_factory=Counter)
    """Cases by locale."""
    notes: Counter[str] = field(default_factory=Counter)
    """Changes that were made to rows that were kept, by wording."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows by reason."""
    places: dict[str, str] = field(default_factory=dict)
    """The first row of each reason."""

    def drop(self, reason: str, place: str) -> None:
        """Count a row that became no case."""
        self.dropped[reason] += 1
        self.places.setdefault(reason, place)

    def note(self, text: str) -> None:
        """Count a row that was kept with a change."""
        self.notes[text] += 1

    def lines(self) -> Iterator[str]:
        """Yield the report as text lines."""
        yield "mapping"
        for name, origin in self.mapping.items():
            yield f"  {name:<10} <- {origin}"
        yield f"ignored columns: {', '.join(self.ignored) or 'none'}"
        for text, count in self.notes.most_common():
            yield f"note: {count} x {text}"
        dropped = self.dropped.total()
        by_locale = ", ".join(f"{locale} {count}" for locale, count in sorted(self.cases.items())) or "none"
        yield f"rows: {self.rows} read, {self.cases.total()} became cases ({by_locale}), {dropped} dropped"
        for reason, count in self.dropped.most_common():
            yield f"  dropped {count} x {reason} (first: {self.places[reason]})"
