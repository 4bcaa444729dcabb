"""What people say of the run, where a study of it was closed: the share that fails, and the judges' errors."""

from __future__ import annotations

from typing import NamedTuple

from jmedethic_pytest.analysis.people import stored
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.wording import interval, number, share, share_interval
from jmedethic_pytest.reports.words import Text, word
from jmedethic_pytest.stats.estimate import Estimate


class Line(NamedTuple):
    """A figure with its interval, written out."""

    label: Text
    value: str
    interval: str
    reason: str
    """Why there is none; empty if there is."""


class Section(NamedTuple):
    """The part of the page."""

    about: Text
    lines: list[Line]


def section(outcome: Outcome) -> Section | None:
    """Return what people say of a run; ``None`` if nobody was asked.

    Raises:
        StoreError: if what is stored is damaged, or of another run.
    """
    found = stored.read(outcome.path, outcome.info.id)
    if found is None:
        return None
    errors = found.panel.accuracy
    shares = {
        "people.measured": found.measured,
        "people.corrected": found.corrected,
        "people.sensitivity": errors.sensitivity,
        "people.specificity": errors.specificity,
    }
    figures = {"people.youden": errors.youden, "people.bias": found.panel.bias, "people.icc": found.panel.agreement.icc}
    about = word(
        "people.about",
        study=found.study,
        conversations=found.conversations,
        population=found.population,
        replies=found.replies,
        closed=found.closed,
    )
    lines = [_line(name, item, share(item.value), share_interval(item)) for name, item in shares.items()]
    lines += [_line(name, item, number(item.value), interval(item)) for name, item in figures.items()]
    return Section(about, lines)


def _line(name: str, found: Estimate, value: str, ends: str) -> Line:
    return Line(word(name), value, ends, found.reason)
