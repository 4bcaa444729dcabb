"""Did it regress? One sentence for each baseline, and the places, all in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import Comparison, Endpoint
from jmedethic_pytest.core.records import Answer
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.page import compared
from jmedethic_pytest.reports.page.compared import Place
from jmedethic_pytest.reports.words import Text, word

_KINDS = ("turn", "strategy", "guideline")
"""What is named above the fold; the comparison's own table has the others."""
_NAMED = 3
"""Places of a kind that are named, those that lost most first."""


class Places(NamedTuple):
    """Where it regressed, of one kind."""

    title: Text
    named: list[Place]
    rest: int
    """How many more there are."""


class Regression(NamedTuple):
    """What is said of one baseline above the fold."""

    answer: Answer
    sentence: Text
    reason: str
    """Why the runs cannot be compared; empty if they can."""
    places: list[Places]


def regressions(outcome: Outcome) -> list[Regression]:
    """Return for every baseline whether the run regressed against it, by how much, and where."""
    return [_regression(record, outcome.info.words) for record in outcome.comparisons]


def _regression(record: Comparison, vocabulary: Vocabulary) -> Regression:
    shown = _decisive(record)
    if record.obstacles or shown is None or shown.difference.value is None:
        reason = record.obstacles[0] if record.obstacles else "" if shown is None else shown.detail
        return Regression(record.answer, word("regression.unlike", name=record.baseline), reason, [])
    sentence = word(f"regression.{record.answer}", name=record.baseline, figure=_figure(shown, record, vocabulary))
    return Regression(record.answer, sentence, "", list(_places(record, vocabulary)))


def _decisive(record: Comparison) -> Endpoint | None:
    """Return the figure that the sentence gives: the first one with the answer of the whole, else the first."""
    return next((item for item in record.endpoints if item.answer == record.answer), next(iter(record.endpoints), None))


def _figure(shown: Endpoint, record: Comparison, vocabulary: Vocabulary) -> Text:
    line = compared.line(shown, vocabulary)
    return word(
        "regression.figure",
        label=line.label,
        before=line.baseline,
        after=line.candidate,
        difference=line.difference,
        level=f"{shown.difference.level * 100:.4g}%",
        interval=line.interval,
        margin=line.margin,
        pairs=record.pairs,
    )


def _places(record: Comparison, vocabulary: Vocabulary) -> Iterator[Places]:
    for kind in _KINDS:
        found = (item for item in record.regressed if item.kind == kind)
        items = sorted(found, key=lambda item: item.difference.value or 0.0)
        if items:
            named = [compared.place(item, record, vocabulary, in_words=True) for item in items[:_NAMED]]
            yield Places(word(kind), named, len(items) - len(named))
