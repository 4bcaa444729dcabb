"""Bounds of a mean difference: what the pairs say, and what they could say whatever the missing scores were."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.stats import skewed
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import standard_error
from jmedethic_pytest.stats.power import unseen_bound, unseen_share
from jmedethic_pytest.stats.sample import Indices, Sample, sample
from jmedethic_pytest.stats.skewed import cluster_t_skewed

UNSEEN = "unseen cases"
_FEW = 45
"""Guidelines; with more of them no imputation was found to be more skewed than the three that are tried."""


class Reach(NamedTuple):
    """How low and how high the bounds of a difference could be, had the missing scores existed."""

    low: float | None
    high: float | None
    least_high: float | None = None
    """The lowest that the *upper* bound could be, at half of ``alpha`` (there are two counts of failures): below zero,
    some scores would show a certain drop."""

    def within(self, span: float) -> Reach:
        """Return the same, cut at the largest differences there can be."""
        return Reach(*(None if end is None else min(max(end, -span), span) for end in self))


def interval(figure: Figure, alpha: float) -> Estimate:
    """Estimate the mean difference, with an interval that neither bound crosses with more than probability ``alpha``.

    It is that of :func:`cluster_t_skewed`, but never narrower than what cases of a kind not met can do: if n different
    cases were drawn and none of a kind was among them, that kind can still make up a share of ``1 - alpha^(1/n)``
    (exact binomial bound; about ``3.7 / n`` at 0.025), each with the largest possible difference. So a few pairs
    without any difference are not taken for certainty.
    """
    found = cluster_t_skewed(figure.difference, figure.guideline, 1 - 2 * alpha)
    if found.value is None or found.clusters < 2:
        return found
    known = figure.known
    half = _unseen(figure.stem[known], figure.guideline[known], figure.span, alpha)
    least = {"low": found.value - half, "high": found.value + half}
    if found.low is None or found.high is None:
        wide = found.model_copy(update={**least, "method": UNSEEN, "reason": ""})
        return wide.of_difference(figure.span)
    ends = {"low": min(found.low, least["low"]), "high": max(found.high, least["high"])}
    seen = (ends["low"], ends["high"]) == (found.low, found.high)
    wide = found.model_copy(update={**ends, "method": found.method if seen else f"{found.method}; {UNSEEN}"})
    return wide.of_difference(figure.span)


def reach(figure: Figure, alpha: float, alarm: float | None = None) -> Reach:
    """Return bounds that hold for **every** value the missing scores might have had.

    The means are those of the worst and the best imputation. The standard error is a seminorm, so over all imputations
    it is at most that of their middle plus that of the largest deviation from it, which is bounded by the norm of the
    cluster sums of the half ranges. The correction for skewness is the largest of the worst, the middle and the best
    imputation; with few clusters, where a single score can change it much, the largest there can be. Without missing
    scores these are the bounds of :func:`interval`.

    Args:
        figure: the pairs.
        alpha: probability that the difference lies below the lower bound.
        alarm: probability that it lies above the upper bound; ``alpha`` if not given.
    """
    worst, best = figure.worst, figure.best
    data = sample((worst + best) / 2, figure.guideline)
    if data.clusters < 2:
        return Reach(None, None)
    deviation, imputed = _deviation(figure, data), [sample(values, figure.guideline) for values in (worst, best)]
    imputed.append(data)

    def furthest(probability: float) -> tuple[float, float]:
        level, error = 1 - 2 * probability, standard_error(data) + deviation
        ends = [skewed.reach(values, level) for values in imputed]
        if data.clusters < _FEW and deviation > 0:
            ends.append(skewed.Reach(*[skewed.longest(data, level)] * 2))
        least = _unseen(figure.stem, figure.guideline, figure.span, probability)
        return max(least, error * max(end.down for end in ends)), max(least, error * max(end.up for end in ends))

    # Missing scores may as well shorten the interval: by the same deviation, and to no skewness at all.
    either = max(alpha / 2, alarm or alpha)
    plain = skewed.quantile(data, 1 - 2 * either)
    shortest = plain if deviation > 0 else skewed.reach(data, 1 - 2 * either).up
    least = unseen_share(len(np.unique(figure.stem)), either) * figure.span
    return Reach(
        low=float(worst.mean()) - furthest(alpha)[0],
        high=float(best.mean()) + furthest(alarm or alpha)[1],
        least_high=float(worst.mean()) + max(least, max(standard_error(data) - deviation, 0.0) * shortest),
    )


def _deviation(figure: Figure, middle: Sample) -> float:
    """Return how far the standard error of any imputation may lie from that of the middle one."""
    ranges, sizes = middle.sums((figure.best - figure.worst) / 2), middle.sizes()
    # Subtracting the mean from unequal clusters can lengthen the vector of their sums by at most this factor.
    lengthening = math.sqrt(middle.clusters * float((sizes**2).sum())) / middle.n
    weight = 1 / math.sqrt(1 - float(sizes.max()) / middle.n)
    return math.sqrt(float((ranges**2).sum())) / middle.n * lengthening * weight


def _unseen(stems: Indices, guidelines: Indices, span: float, alpha: float) -> float:
    """Return what kinds of cases and of guidelines can change of which none was met.

    Languages and repeats are no other cases.
    """
    return unseen_bound(len(np.unique(stems)), len(np.unique(guidelines)), span, alpha)
