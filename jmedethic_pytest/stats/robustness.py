"""How results change when a request is worded otherwise, beside how they change when nothing is.

Every conversation is held three times: as it is, again as it is, and reworded. A *flip* is a result (passed or failed)
other than the original's. Judges are not quite steady, and neither are models, so flips alone show no fragility: their
*excess* over those of the repeat does, and the *net* of fixed and new failures, which noise leaves near zero.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import wilson
from jmedethic_pytest.stats.paired import sign_flip
from jmedethic_pytest.stats.power import design_effect, icc_oneway
from jmedethic_pytest.stats.sample import Floats, floats

LEAST_OF_A_KIND = 134
"""Different conversations of one kind, with fewer of which nothing is said of it."""


class Counts(NamedTuple):
    """Flips by their direction."""

    n: int
    """Conversations of which both results are known."""
    new_failures: int
    """Passed as it was, failed now (n10)."""
    fixed: int
    """Failed as it was, passed now (n01)."""


def counts(before: ArrayLike, after: ArrayLike) -> Counts:
    """Count flips.

    Args:
        before: 1 for each conversation that passed as it was, 0 if it failed; NaN where that is unknown.
        after: the same of its other run.
    """
    was, now = floats(before), floats(after)
    known = ~(np.isnan(was) | np.isnan(now))
    change = (now - was)[known]
    return Counts(int(known.sum()), int((change < -0.5).sum()), int((change > 0.5).sum()))


def flips(before: ArrayLike, after: ArrayLike) -> Floats:
    """Return 1 for each conversation whose result differs, else 0, NaN where either is unknown; arguments as above."""
    return np.asarray(np.abs(floats(after) - floats(before)))


def rate(flipped: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate the share of conversations that flip: Wilson's interval, of n / design effect cases.

    The design effect is 1 + (m - 1) ICC for guidelines of m conversations on average, at least 1.

    Args:
        flipped: as :func:`flips` gives it.
        clusters: the guideline of each conversation.
        level: coverage of the interval.
    """
    values = floats(flipped)
    known = ~np.isnan(values)
    groups = np.asarray(clusters)[known]
    different = len(np.unique(groups))
    found = wilson(
        int(values[known].sum()),
        int(known.sum()),
        level,
        design_effect=design_effect(known.sum() / different, icc_oneway(values[known], groups) or 0.0)
        if different
        else 1.0,
    )
    return found.model_copy(update={"clusters": different})


def more_than_repeat(flipped: ArrayLike, repeated: ArrayLike, clusters: ArrayLike) -> Test:
    """Test whether more conversations flip than in the unchanged repeat, one-sided, by signs of whole guidelines.

    Args:
        flipped: flips of the reworded conversations.
        repeated: flips of the same conversations in their repeat.
        clusters: the guideline of each.
    """
    test = sign_flip(floats(repeated) - floats(flipped), clusters)
    statistic = None if test.statistic is None else -test.statistic
    return test.model_copy(update={"name": "more flips than in the repeat", "statistic": statistic})
