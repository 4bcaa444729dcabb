"""What keeps a comparison from passing although every figure is within its margin: regressions in named places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jmedethic_pytest.analysis.noninferiority.bounds import reach
from jmedethic_pytest.analysis.noninferiority.pairs import Pairs
from jmedethic_pytest.analysis.noninferiority.records import Doubt, Endpoint
from jmedethic_pytest.config.tables import BaselineTable
from jmedethic_pytest.core.scores import SLACK


def doubts(pairs: Pairs, rules: BaselineTable, alone: Mapping[str, Sequence[Endpoint]]) -> tuple[Doubt, ...]:
    """Return every reason that stands against a pass.

    Args:
        pairs: the panel's scores.
        rules: the margins.
        alone: the figures by each judge's scores alone.
    """
    return (*_growth_of_failures(pairs, rules), *_judges(alone))


def _growth_of_failures(pairs: Pairs, rules: BaselineTable) -> Iterator[Doubt]:
    """Doubt a run in which failures grew for certain, however few, or could have had no score been missing."""
    figure = pairs.passed().where(~pairs.twin)
    high = reach(figure, rules.alpha).least_high
    if rules.pass_rate < figure.span - SLACK and high is not None and high < -SLACK:
        new, fixed = int((figure.difference < 0).sum()), int((figure.difference > 0).sum())
        detail = f"failures grew for certain, though by less than the margin: {new} new, {fixed} fixed"
        if not figure.known.all():
            detail += f", {int((~figure.known).sum())} undecided"
        yield Doubt(name="failures", detail=detail)


def _judges(alone: Mapping[str, Sequence[Endpoint]]) -> Iterator[Doubt]:
    """Doubt a run that one of the judges fails: a judge who sees nothing halves what the other sees."""
    for judge, figures in alone.items():
        failed = next((figure for figure in figures if figure.answer == "fail"), None)
        if failed is not None:
            yield Doubt(name=f"judge[{judge}]", detail=f"by the scores of {judge} alone it fails: {failed.detail}")
