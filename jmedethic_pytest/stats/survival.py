"""How long conversations stay safe: first unsafe turn, Kaplan-Meier, and the number of safe turns to expect.

K is the first turn whose score is at or below its floor. A conversation is watched until it falls, or until nothing
more is known of it: its plan ends, or a score is missing. With ``d_t`` falls among the ``r_t`` conversations that are
still watched and safe before turn t, the hazard is ``h_t = d_t / r_t`` and ``S(t) = P(K > t)`` the product of
``1 - h_u`` up to t (Kaplan & Meier 1958; for turns as steps Singer & Willett 1993). The mean number of safe turns among
the first T is ``R = sum_{t < T} S(t)``, the mean of ``min(K, T)`` (Royston & Parmar 2013).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.core.scores import at_or_below
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t, wilson
from jmedethic_pytest.stats.resampling import METHOD, ONE_CLUSTER, draws
from jmedethic_pytest.stats.sample import Floats, Indices

Flags = NDArray[np.bool_]


class Courses(NamedTuple):
    """Conversations, each watched until it fell or nothing more is known of it."""

    watched: Indices
    """Turns of which the score is known, up to the fall."""
    fell: Flags
    """Whether it fell at the last of them."""
    cluster: Indices
    """Number of its guideline, from 0 without gaps."""

    @property
    def safe(self) -> Indices:
        """Safe turns before the fall, or until it was no longer watched."""
        return self.watched - self.fell

    def where(self, chosen: Flags) -> Courses:
        """Return some of the conversations."""
        return followed(self.watched[chosen], self.fell[chosen], self.cluster[chosen])


class Counts(NamedTuple):
    """Conversations by turn (columns), of each guideline (rows) or of all together."""

    at_risk: Floats
    """Watched, and safe until then."""
    fell: Floats

    def together(self) -> Counts:
        """Return the counts over all guidelines."""
        return Counts(self.at_risk.sum(axis=0), self.fell.sum(axis=0))


def followed(watched: ArrayLike, fell: ArrayLike, clusters: ArrayLike) -> Courses:
    """Return courses that are known as such; the guidelines may have any labels."""
    cluster = np.unique(np.asarray(clusters), return_inverse=True)[1].astype(np.intp).reshape(-1)
    return Courses(np.asarray(watched, dtype=np.intp), np.asarray(fell, dtype=np.bool_), cluster)


def courses(scores: Floats, floors: Floats | float, clusters: ArrayLike) -> Courses:
    """Follow conversations to their first unsafe turn.

    Args:
        scores: conversations x turns, 1 to 10, 10 is safe; NaN where the score is missing or the plan has ended.
        floors: of every score, or one for all: a score at or below it is a fall.
        clusters: the guideline of each conversation.
    """
    turns, low = scores.shape[1], at_or_below(scores, floors)
    unknown = np.isnan(scores)
    seen = np.where(unknown.any(axis=1), np.argmax(unknown, axis=1), turns)
    first = np.where(low.any(axis=1), np.argmax(low, axis=1), turns)
    return followed(np.where(first < seen, first + 1, seen), first < seen, clusters)


def counts(data: Courses, turns: int) -> Counts:
    """Count by guideline and turn who is at risk, and who falls."""
    clusters = int(data.cluster.max()) + 1 if len(data.cluster) else 0
    at_risk, fell = (np.zeros((clusters, turns)) for _ in range(2))
    np.add.at(at_risk, data.cluster, np.arange(turns) < data.watched[:, None])
    np.add.at(fell, data.cluster, data.fell[:, None] & (np.arange(turns) == data.watched[:, None] - 1))
    return Counts(at_risk, fell)


def hazards(found: Counts) -> Floats:
    """Return the share of those at risk that fall, turn by turn along the last axis; NaN where nobody is at risk."""
    nobody = np.full(found.fell.shape, np.nan)
    return np.asarray(np.divide(found.fell, found.at_risk, out=nobody, where=found.at_risk > 0))


def surviving(found: Counts) -> Floats:
    """Return S(t), the share that is safe up to and with each turn, along the last axis.

    After the last turn at which anybody is at risk it stays as it is: do not ask for more turns than that.
    """
    return np.asarray(np.cumprod(1 - np.nan_to_num(hazards(found)), axis=-1))


def greenwood(found: Counts) -> Floats:
    """Return the standard error of S(t) as if conversations were independent (Greenwood 1926): a check, no more."""
    left = found.at_risk - found.fell
    terms = np.divide(found.fell, found.at_risk * left, out=np.zeros(found.fell.shape), where=found.at_risk * left > 0)
    return np.asarray(surviving(found) * np.sqrt(np.cumsum(terms)))


def safe_shares(
    data: Courses, turns: int, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Estimate, ...]:
    """Estimate S(t) of every turn.

    Whole guidelines are drawn with replacement; the interval is Student's t on the scale of ``log(-log S)`` with the
    standard deviation of the draws, which keeps it within 0 to 1. A draw in which nobody falls, or everybody, counts as
    one in which half a conversation does, or is left. Where that is so of the run itself, resampling shows no spread:
    Wilson's interval.

    Args:
        data: the conversations.
        turns: how many turns.
        level: coverage of each interval.
        resamples: number of draws.
        seed: start of the random numbers.
    """
    found = counts(data, turns)
    whole, clusters = found.together(), len(found.fell)
    values = surviving(whole)
    if clusters < 2:
        known = {"level": level, "clusters": clusters, "method": METHOD, "reason": ONE_CLUSTER}
        risk = whole.at_risk.tolist()
        return tuple(Estimate(value=value, n=int(n), **known) for value, n in zip(values.tolist(), risk, strict=True))
    weights = draws(clusters, resamples, seed)
    drawn = surviving(Counts(weights @ found.at_risk, weights @ found.fell))
    half = 0.5 / max(1.0, float(whole.at_risk.max()))
    spread = _log_log(np.clip(drawn, half, 1 - half)).std(axis=0, ddof=1)
    factor = float(special.stdtrit(clusters - 1, (1 + level) / 2))
    return tuple(
        _safe_share(value, factor * error, int(at_risk), clusters, level)
        for value, error, at_risk in zip(values.tolist(), spread.tolist(), whole.at_risk.tolist(), strict=True)
    )


def _safe_share(value: float, half: float, at_risk: int, clusters: int, level: float) -> Estimate:
    if value in (0.0, 1.0):
        return wilson(at_risk if value else 0, at_risk, level).model_copy(update={"clusters": clusters})
    middle = math.log(-math.log(value))
    low, high = (math.exp(-math.exp(middle + way * half)) for way in (1, -1))
    return Estimate(value=value, low=low, high=high, level=level, n=at_risk, clusters=clusters, method=METHOD)


def _log_log(share: Floats) -> Floats:
    return np.asarray(np.log(-np.log(share)))


def pseudo_values(data: Courses, turns: int) -> Floats:
    """Return one value a conversation whose mean is R: ``n R - (n - 1) R_(-i)``.

    Of conversations that were all watched to their fall, or through all turns, it is ``min(K, T)`` itself. Otherwise
    they take its place (Andersen, Klein & Rosthoej 2003).
    """
    n, found = len(data.watched), counts(data, turns).together()
    whole = float(surviving(found).sum())
    kinds, number = np.unique(np.stack([data.watched, data.fell]), axis=1, return_inverse=True)
    gone = [counts(followed([watched], [fell], [0]), turns).together() for watched, fell in kinds.T]
    left = (Counts(*(there - one for there, one in zip(found, each, strict=True))) for each in gone)
    without = [float(surviving(each).sum()) for each in left]
    return np.asarray(n * whole - (n - 1) * np.array(without))[number.reshape(-1)]


def safe_turns(data: Courses, turns: int, level: float = 0.95) -> Estimate:
    """Estimate R, the mean number of safe turns among the first ``turns``; the interval is clustered by guideline."""
    found = cluster_t(pseudo_values(data, turns), data.cluster, level)
    ends = {"low": found.low, "high": found.high}
    cut = {name: min(max(end, 0.0), float(turns)) for name, end in ends.items() if end is not None}
    return found.model_copy(update=cut)
