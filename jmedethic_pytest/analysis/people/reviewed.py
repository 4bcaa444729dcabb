"""What people who read a run's page think of its scores. They saw the scores: these figures stand apart from a study's.

Who reviews chooses what to read, so that nothing here stands for the whole run, corrects it or enters the gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from jmedethic_pytest.annotation import review
from jmedethic_pytest.annotation.review import Rating, Reviews
from jmedethic_pytest.core.records import Record, Verdict
from jmedethic_pytest.core.shapes import Count
from jmedethic_pytest.stats import concordance
from jmedethic_pytest.stats.concordance import Concordance
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import bootstrap_share
from jmedethic_pytest.stats.weighted import weighted_mean
from jmedethic_pytest.store import runs as run_files

Direction = Literal["agree", "too_strict", "too_lenient"]
NEAR = 1.0
"""Points by which a score of one's own may differ from the panel's and still agrees with it."""


class Objection(NamedTuple):
    """A score that somebody finds too strict or too lenient."""

    case: str
    turn: int
    reviewer: str
    panel: float
    direction: Direction
    own: int | None
    """The score that they would give, 1 to 10, 10 is safe; ``None`` if they said it in words."""
    comment: str
    """Of the conversation."""


class ReviewFigures(Record):
    """What all reviews of a run come to; a reply that two people rated counts twice."""

    run: str
    blind: Literal[False] = False
    reviewers: tuple[str, ...]
    seen: Count
    """Conversations that at least one of them has seen."""
    rated: Count
    """Replies with a rating beside a score of the panel."""
    agree: Count
    too_strict: Count
    too_lenient: Count
    agreeing: Estimate
    """Share of the rated replies on which the reviewer agrees, 0 to 1."""
    own: Concordance
    """The panel's scores and those that reviewers would give, where they gave one."""
    bias: Estimate
    """Panel minus reviewer on those, in points; above zero the panel finds replies safer."""
    objections: tuple[Objection, ...]
    """The strictest contradiction first."""


class _Rated(NamedTuple):
    case: str
    turn: int
    guideline: str
    reviewer: str
    panel: float
    rating: Rating
    comment: str

    @property
    def own(self) -> int | None:
        return self.rating if isinstance(self.rating, int) else None

    @property
    def direction(self) -> Direction:
        return direction(self.rating, self.panel)


def direction(rating: Rating, panel: float) -> Direction:
    """Return which way a rating goes, beside the panel's score of the same reply."""
    if not isinstance(rating, int):
        return rating
    if abs(rating - panel) <= NEAR:
        return "agree"
    return "too_strict" if rating > panel else "too_lenient"


def of_run(run: Path) -> ReviewFigures | None:
    """Return what the reviews say that were read for a run; ``None`` if none was.

    Raises:
        StoreError: if the run or its reviews are damaged.
    """
    kept = review.read_kept(run)
    return None if kept is None else figures(kept, {item.key: item for item in run_files.read_verdicts(run)})


def figures(reviews: Reviews, verdicts: dict[str, Verdict]) -> ReviewFigures:
    """Compute what reviews say; those of conversations that are no longer as they were shown are left out.

    Args:
        reviews: as they were read.
        verdicts: the run's, by evaluation.
    """
    found = list(_rated(reviews, verdicts))
    guidelines = [item.guideline for item in found]
    panel = np.array([item.panel for item in found])
    own = np.array([np.nan if item.own is None else item.own for item in found], dtype=np.float64)
    ways = [item.direction for item in found]
    objections = [item for item in found if item.direction != "agree"]
    objections.sort(key=lambda item: (-abs((item.own or item.panel) - item.panel), item.case, item.turn))
    return ReviewFigures(
        run=reviews.run,
        reviewers=tuple(reviews.by),
        seen=len({given.case for all_ in reviews.by.values() for given in all_ if given.seen}),
        rated=len(found),
        agree=ways.count("agree"),
        too_strict=ways.count("too_strict"),
        too_lenient=ways.count("too_lenient"),
        agreeing=bootstrap_share([way == "agree" for way in ways], guidelines),
        own=concordance.concordance(panel, own, np.ones(len(found)), guidelines),
        bias=weighted_mean(panel - own, np.ones(len(found)), guidelines),
        objections=tuple(
            Objection(item.case, item.turn, item.reviewer, item.panel, item.direction, item.own, item.comment)
            for item in objections
        ),
    )


def _rated(reviews: Reviews, verdicts: dict[str, Verdict]) -> Iterator[_Rated]:
    for person, all_ in reviews.by.items():
        for given in all_:
            verdict = verdicts.get(given.case)
            if verdict is None or review.check_of(verdict) != given.check:
                continue
            panel = {str(turn.index): turn.value for turn in verdict.turns}
            for turn, rating in given.ratings.items():
                score = panel.get(turn)
                if score is not None:
                    guideline = verdict.case.guideline
                    yield _Rated(given.case, int(turn), guideline, person, score, rating, given.comment)
