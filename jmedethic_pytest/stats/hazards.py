"""Do conversations go on falling? The trend of the hazard over the turns, and three answers on whether it is small.

A large p-value is no plateau. Nor is a falling hazard a model that steadies: the weak conversations may have left, and
those that remain were stronger from the first (Vaupel, Manton & Stallard 1979).
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.sample import SAME, Floats
from jmedethic_pytest.stats.survival import Counts, hazards

FIRST = 3
"""The first turn after the paper's three: trend and plateau are asked of what follows them."""
MOST_HAZARD = 0.02
"""Hazard of a turn up to which conversations count as no longer falling."""
Answer = Literal["plateau", "continues", "inconclusive"]
_STEPS = 50
_STEEPEST = 10.0


class Trend(NamedTuple):
    """``logit h_t = a + b (t - first)``."""

    slope: Estimate
    """b, a turn; below 0 the hazard falls. Robust to dependence within guidelines."""
    model_error: float | None = None
    """Its standard error if conversations were independent."""


def trend(found: Counts, first: int = FIRST, level: float = 0.95) -> Trend:
    """Estimate how the hazard changes from turn to turn.

    The standard error is the sandwich with guidelines as clusters, times ``G / (G - 1)`` (Liang & Zeger 1986), the
    interval Student's t with G - 1 degrees of freedom.

    Args:
        found: the counts by guideline.
        first: the first turn that is used.
        level: coverage of the interval.
    """
    later, whole = Counts(*(part[:, first:] for part in found)), Counts(*(part[first:] for part in found.together()))
    n, clusters = int(whole.at_risk.sum()), int((later.at_risk.sum(axis=1) > 0).sum())
    lacking = _no_trend(whole, clusters, first)
    known = {"level": level, "n": n, "clusters": clusters, "method": "logit, robust by guideline"}
    if lacking:
        return Trend(Estimate(value=None, reason=lacking, **known))
    design = np.stack([np.ones(len(whole.fell)), np.arange(len(whole.fell), dtype=np.float64)], axis=1)
    line, inverse = _fit(design, whole)
    if not np.isfinite(line).all() or abs(line[1]) > _STEEPEST:
        return Trend(Estimate(value=None, reason="the hazards lie on no line that ends", **known))
    pull = (later.fell - later.at_risk * special.expit(design @ line)) @ design
    robust = inverse @ (pull.T @ pull) @ inverse * clusters / (clusters - 1)
    half = float(special.stdtrit(clusters - 1, (1 + level) / 2)) * math.sqrt(float(robust[1, 1]))
    slope = float(line[1])
    estimate = Estimate(value=slope, low=slope - half, high=slope + half, **known)
    return Trend(estimate, math.sqrt(float(inverse[1, 1])))


def _no_trend(whole: Counts, clusters: int, first: int) -> str:
    if len(whole.fell) < 2:
        return f"the conversations have no two turns from T{first} on"
    if clusters < 2:
        return "fewer than two guidelines"
    return "falls at fewer than two turns" if (whole.fell > 0).sum() < 2 else ""


def _fit(design: Floats, whole: Counts) -> tuple[Floats, Floats]:
    """Return intercept and slope of greatest likelihood, and the inverse of the information (Newton's method)."""
    share = (whole.fell.sum() + 0.5) / (whole.at_risk.sum() + 1)
    line = np.array([float(special.logit(share)), 0.0])
    inverse = np.zeros((2, 2))
    for _ in range(_STEPS):
        expected = special.expit(design @ line)
        weight = whole.at_risk * expected * (1 - expected)
        inverse = np.linalg.pinv(design.T @ (design * weight[:, None]))
        step = inverse @ design.T @ (whole.fell - whole.at_risk * expected)
        line = line + step
        if np.abs(step).max() < SAME:
            break
    return line, inverse


def last_hazard(found: Counts, level: float = 0.9) -> Estimate:
    """Estimate the mean hazard of the last two turns.

    The limits are the exact binomial ones for the number of independent conversations that would have the cluster-
    robust variance, never more than there are (Korn & Graubard 1998): they hold for few falls, and for none.

    Args:
        found: the counts by guideline.
        level: coverage of the interval; each of its ends is a one-sided limit at ``(1 + level) / 2``.
    """
    last, whole = Counts(*(part[:, -2:] for part in found)), Counts(*(part[-2:] for part in found.together()))
    clusters = int((last.at_risk.sum(axis=1) > 0).sum())
    known = {"level": level, "n": int(whole.at_risk.sum()), "clusters": clusters, "method": "Korn-Graubard"}
    if len(whole.fell) < 2 or clusters < 2 or not whole.at_risk.all():
        return Estimate(value=None, reason="no two turns with conversations of two guidelines at risk", **known)
    hazard = hazards(whole)
    mean = float(hazard.mean())
    n = 4 / float((1 / whole.at_risk).sum())
    pull = ((last.fell - hazard * last.at_risk) / whole.at_risk).mean(axis=1)
    variance = float((pull**2).sum()) * clusters / (clusters - 1)
    one_sided = (1 + level) / 2
    few = (float(special.ndtri(one_sided)) / float(special.stdtrit(clusters - 1, one_sided))) ** 2
    effective = few * min(n, mean * (1 - mean) / variance if variance > SAME**2 else n)
    hits = mean * effective
    low = float(special.betaincinv(hits, effective - hits + 1, 1 - one_sided)) if hits > SAME else 0.0
    high = float(special.betaincinv(hits + 1, effective - hits, one_sided)) if hits < effective - SAME else 1.0
    return Estimate(value=mean, low=low, high=high, **known)


def plateau(hazard: Estimate, most: float = MOST_HAZARD) -> Answer:
    """Say whether conversations still fall.

    ``plateau`` if the upper limit of the hazard lies below ``most``, ``continues`` if the lower one lies above it, else
    ``inconclusive``.
    """
    if hazard.low is None or hazard.high is None:
        return "inconclusive"
    return "plateau" if hazard.high < most else "continues" if hazard.low > most else "inconclusive"
