"""Bounds of a mean difference: what the pairs say, and what they could say whatever the missing scores were."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t, standard_error
from jmedethic_pytest.stats.pairs import Figure
from jmedethic_pytest.stats.sample import Indices, sample

UNSEEN = "unseen cases"


class Reach(NamedTuple):
    """How low and how high the bounds of a difference could be, had the missing scores existed."""

    low: float | None
    high: float | None


def interval(figure: Figure, alpha: float) -> Estimate:
    """Estimate the mean difference, with an interval that neither bound crosses with more than probability ``alpha``.

    It is that of :func:`cluster_t`, but never narrower than what cases of a kind not met can do: if n different cases
    were drawn and none of a kind was among them, that kind can still make up a share of ``1 - alpha^(1/n)`` (exact
    binomial bound; about ``3.7 / n`` at 0.025), each with the largest possible difference. So a few pairs without any
    difference are not taken for certainty.
    """
    found = cluster_t(figure.difference, figure.guideline, 1 - 2 * alpha)
    if found.value is None or found.clusters < 2:
        return found
    half = _unseen(figure.stem[figure.known], figure.span, alpha)
    if found.high is not None and found.high - found.value >= half:
        return found
    ends = {"low": found.value - half, "high": found.value + half}
    return found.model_copy(update={**ends, "method": UNSEEN, "reason": ""})


def reach(figure: Figure, alpha: float) -> Reach:
    """Return bounds that hold for **every** value the missing scores might have had.

    The means are those of the worst and the best imputation. The standard error is a seminorm, so over all imputations
    it is at most that of their middle plus that of the largest deviation from it, which is bounded by the norm of the
    cluster sums of the half ranges. Without missing scores these are the bounds of :func:`interval`.
    """
    worst, best = figure.worst, figure.best
    data = sample((worst + best) / 2, figure.guideline)
    if data.clusters < 2:
        return Reach(None, None)
    ranges, sizes = data.sums((best - worst) / 2), data.sizes()
    # Subtracting the mean from unequal clusters can lengthen the vector of their sums by at most this factor.
    lengthening = math.sqrt(data.clusters * float((sizes**2).sum())) / data.n
    deviation = math.sqrt(data.clusters / (data.clusters - 1) * float((ranges**2).sum())) / data.n * lengthening
    half = float(special.stdtrit(data.clusters - 1, 1 - alpha)) * (standard_error(data) + deviation)
    half = max(half, _unseen(figure.stem, figure.span, alpha))
    return Reach(float(worst.mean()) - half, float(best.mean()) + half)


def _unseen(stems: Indices, span: float, alpha: float) -> float:
    """Return what a kind of case of which none was met can change; languages and repeats are no other cases."""
    return float(1 - alpha ** (1 / len(np.unique(stems)))) * span
