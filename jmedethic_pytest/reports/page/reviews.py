"""What people who reviewed the page think of the scores; they saw them, and the page says so."""

from __future__ import annotations

from typing import NamedTuple

from jmedethic_pytest.analysis.people import reviewed
from jmedethic_pytest.analysis.people.reviewed import Objection, ReviewFigures
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.page.people import Line
from jmedethic_pytest.reports.wording import interval, number, share, share_interval
from jmedethic_pytest.reports.words import Text, word

_SHOWN = 20


class Object(NamedTuple):
    """A score that somebody objects to."""

    case: str
    turn: str
    panel: str
    said: Text
    reviewer: str
    comment: str


class Section(NamedTuple):
    """The part of the page."""

    about: Text
    lines: list[Line]
    objections: list[Object]
    rest: int
    """How many more there are."""


def section(outcome: Outcome) -> Section | None:
    """Return what the reviews say that were read for a run; ``None`` if there are none.

    Raises:
        StoreError: if what is stored is damaged, or of another run.
    """
    found = reviewed.of_run(outcome.path)
    if found is None:
        return None
    about = word(
        "reviews.about",
        seen=found.seen,
        people=", ".join(found.reviewers),
        rated=found.rated,
        agree=found.agree,
        strict=found.too_strict,
        lenient=found.too_lenient,
    )
    objections = [_object(item) for item in found.objections[:_SHOWN]]
    return Section(about, list(_lines(found)), objections, len(found.objections) - len(objections))


def _lines(found: ReviewFigures) -> list[Line]:
    agreeing, icc = found.agreeing, found.own.icc
    lines = [Line(word("reviews.agreeing"), share(agreeing.value), share_interval(agreeing), agreeing.reason)]
    if found.own.n:
        lines.append(Line(word("reviews.within", count=found.own.n), share(found.own.within_2), "-", ""))
        lines.append(Line(word("people.icc"), number(icc.value), interval(icc), icc.reason))
        lines.append(Line(word("people.bias"), number(found.bias.value), interval(found.bias), found.bias.reason))
    return lines


def _object(item: Objection) -> Object:
    said = word(f"review.{item.direction}") if item.own is None else word("reviews.own", score=item.own)
    return Object(item.case, f"T{item.turn}", number(item.panel, 1), said, item.reviewer, item.comment)
