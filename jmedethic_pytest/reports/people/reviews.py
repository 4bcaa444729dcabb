"""What the reviews of a run's page say, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.people.reviewed import ReviewFigures
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.reports.wording import figure, number, share, share_figure

NOT_BLIND = (
    "NOT BLIND: reviewers saw the scores and chose what to read. These figures do not stand for the run, are never "
    "mixed with the marks of a study (jmedethic annotate sample), and the gate does not see them."
)
_SHOWN = 5


def lines(found: ReviewFigures) -> Iterator[str]:
    """Yield what is to be known first."""
    yield NOT_BLIND
    yield f"{found.seen} conversations seen by {', '.join(found.reviewers)}; {found.rated} ratings of replies"
    if not found.rated:
        return
    yield (
        f"scores of the panel: agree {found.agree}, too strict {found.too_strict}, too lenient {found.too_lenient}; "
        f"agreeing {share_figure(found.agreeing)}"
    )
    own = found.own
    if own.n:
        apart = number(own.mean_absolute_difference)
        yield (
            f"own scores: {own.n} replies; within 2 points {share(own.within_2)}, mean difference {apart}, "
            f"panel minus reviewer {figure(found.bias)}, ICC(2,1) {figure(own.icc)}"
        )
    for item in found.objections[:_SHOWN]:
        said = item.direction.replace("_", " ") if item.own is None else f"own score {item.own}"
        note = f": {one_line(item.comment, 80)}" if item.comment else ""
        yield f"  {item.case} T{item.turn}: panel {number(item.panel, 1)}, {item.reviewer}: {said}{note}"
    if len(found.objections) > _SHOWN:
        yield f"  and {len(found.objections) - _SHOWN} more, in the page"
