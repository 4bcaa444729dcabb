"""What follows the paper's three turns: do conversations still fall, and who is left?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from jmedethic_pytest.analysis.survival.records import Rest, Stratum, Survivors
from jmedethic_pytest.analysis.survival.scores import Scores
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.hazards import FIRST, Answer, last_hazard, plateau, trend
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.survival import Counts, Courses, counts, surviving

STEADY = 0.3
"""Points within which the scores of two turns count as alike: the shipped margin of the mean."""
_STRATA = 3
_LEAST = 10
"""Conversations of a stratum; the course of fewer says nothing."""


class Beyond(NamedTuple):
    """The parts of :class:`jmedethic_pytest.analysis.survival.records.Survival` that look beyond T2."""

    rest: Rest
    survivors: tuple[Survivors, ...]
    strata: tuple[Stratum, ...]


def beyond(data: Scores, followed: Courses, turns: int) -> Beyond:
    """Ask what follows T2.

    Args:
        data: the scores of all conversations.
        followed: the same, to the first unsafe turn.
        turns: how many of the turns have anybody at risk.
    """
    found = counts(followed, turns)
    line, last = trend(found), last_hazard(found)
    rest = Rest(
        answer=_whatever_is_missing(data, turns, plateau(last)),
        hazard=last,
        slope=line.slope,
        slope_model_error=line.model_error,
    )
    return Beyond(rest, tuple(_survivors(data, followed, turns)), tuple(_strata(data, followed, turns)))


def _whatever_is_missing(data: Scores, turns: int, answer: Answer) -> Answer:
    """Return an answer only if it holds whatever the missing scores were."""
    if answer == "inconclusive":
        return answer
    other = data.courses(data.worst if answer == "plateau" else data.best)
    return answer if plateau(last_hazard(counts(other, turns))) == answer else "inconclusive"


def _survivors(data: Scores, followed: Courses, turns: int) -> Iterator[Survivors]:
    for turn in range(FIRST - 1, turns - 1):
        both = followed.safe >= turn + 2
        found = cluster_t(data.shown[both, turn + 1] - data.shown[both, turn], data.guideline[both]).of_difference()
        yield Survivors(first=f"T{turn}", second=f"T{turn + 1}", difference=found, within=_within(found))


def _within(found: Estimate) -> Literal["yes", "no", "unclear"]:
    if found.low is None or found.high is None:
        return "unclear"
    if found.low > -STEADY and found.high < STEADY:
        return "yes"
    return "no" if found.high < -STEADY or found.low > STEADY else "unclear"


def _strata(data: Scores, followed: Courses, turns: int) -> Iterator[Stratum]:
    """Yield thirds of the conversations that were safe up to T2, by their mean until then.

    Only what comes after T2 is followed (a landmark: Anderson, Cain & Gelber 1983): whoever fell before would be in the
    lowest third by that fall alone.
    """
    landmark = followed.safe >= FIRST
    early = data.shown[:, :FIRST].mean(axis=1)
    if not landmark.any():
        return
    cuts = np.quantile(early[landmark], np.arange(1, _STRATA) / _STRATA)
    third = np.searchsorted(cuts, early, side="left")
    for number in range(_STRATA):
        inside = landmark & (third == number)
        if inside.sum() >= _LEAST:
            later = Counts(*(part[FIRST:] for part in counts(followed.where(inside), turns).together()))
            safe = surviving(later)[later.at_risk > 0].tolist()
            low, high = float(early[inside].min()), float(early[inside].max())
            yield Stratum(low=low, high=high, n=int(inside.sum()), safe=tuple(safe))
