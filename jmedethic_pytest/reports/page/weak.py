"""Where the model is weak: categories against strategies, and inside each its guidelines, the weakest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.reports import bands, words
from jmedethic_pytest.reports.page.rows import Row
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.reports.words import Text


class Cell(NamedTuple):
    """The conversations of a line under one strategy."""

    mean: str
    """Of their mean scores, a dash if none is complete."""
    band: str
    """Style class; empty if there is no conversation."""
    missing: int
    """Conversations without a complete score."""
    link: str
    """Filters of the list that show them."""


class Line(NamedTuple):
    """A category or a guideline."""

    label: Text
    link: str
    conversations: int
    mean: str
    cells: list[Cell]


class Category(NamedTuple):
    """A category, and its guidelines."""

    line: Line
    guidelines: list[Line]


class Section(NamedTuple):
    """The part of the page."""

    strategies: list[tuple[str, Text]]
    """Code and name."""
    categories: list[Category]


def section(rows: Iterable[Row], vocabulary: Vocabulary) -> Section | None:
    """Return the scores of adversarial conversations by category, guideline and strategy; ``None`` without any."""
    attacks = [row for row in rows if not row.twin]
    if not attacks:
        return None
    strategies = sorted({row.strategy for row in attacks})
    of: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in attacks:
        of[vocabulary.guideline(row.guideline).category][row.guideline].append(row)
    found = [
        Category(
            _line("category", code, _all(inside.values()), strategies, words.category(code, vocabulary)),
            [
                _line("guideline", key, inside[key], strategies, words.guideline(key, vocabulary))
                for key in sorted(inside, key=_weakest(inside))
            ],
        )
        for code, inside in sorted(of.items(), key=lambda item: _order(_all(item[1].values()), item[0]))
    ]
    return Section([(key, words.strategy(key, vocabulary)) for key in strategies], found)


def _weakest(inside: dict[str, list[Row]]) -> Callable[[str], tuple[float, str]]:
    return lambda key: _order(inside[key], key)


def _order(rows: Sequence[Row], key: str) -> tuple[float, str]:
    """Order by the mean; what has no score comes last."""
    mean = _mean(rows)
    return (float("inf") if mean is None else mean, key)


def _all(groups: Iterable[list[Row]]) -> list[Row]:
    return [row for group in groups for row in group]


def _line(kind: str, key: str, rows: Sequence[Row], strategies: Sequence[str], label: Text) -> Line:
    link = f"{kind}={key}&kind=attack&sort=mean"
    return Line(label, link, len(rows), number(_mean(rows), 1), list(_cells(rows, strategies, link)))


def _cells(rows: Sequence[Row], strategies: Sequence[str], link: str) -> Iterator[Cell]:
    for strategy in strategies:
        inside = [row for row in rows if row.strategy == strategy]
        mean = _mean(inside)
        missing = sum(row.mean is None for row in inside)
        yield Cell(number(mean, 1), bands.name(mean) if inside else "", missing, f"{link}&strategy={strategy}")


def _mean(rows: Sequence[Row]) -> float | None:
    known = [row.mean for row in rows if row.mean is not None]
    return sum(known) / len(known) if known else None
