"""Two runs that people scored on the same conversations: is the newer one worse by people's marks?"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.sample import Floats
from jmedethic_pytest.stats.validation import mover, phase_values


def unlike(before: PeopleFigures, now: PeopleFigures) -> str:
    """Return why two studies cannot be compared, in words; empty if they can."""
    drawn = [study.like or study.study for study in (before, now)]
    if drawn[0] != drawn[1]:
        return f"{now.study} and {before.study} are of different conversations (annotate sample --like)"
    return "" if before.frame == now.frame else f"{now.study} and {before.study} stand for different conversations"


def difference(
    before: PeopleFigures, now: PeopleFigures, guidelines: Mapping[str, str], *, level: float = 0.95
) -> Estimate:
    """Estimate the pass rate by people's marks of the newer run minus that of the older one, -1 to 1.

    The interval is the wider, at each end, of that of ``cluster_t`` for the differences of ``phase_values``, and of
    MOVER limits of the shares of conversations that fail anew and that no longer fail (Zou & Donner 2008): bands in
    which nothing changed may hold changes that nobody was shown.

    Args:
        before: the study of the older run.
        now: that of the newer one, of the same conversations.
        guidelines: the guideline of every conversation.
        level: coverage of the interval.
    """
    method = "two-phase difference, cluster t and MOVER"
    keys = list(now.frame)
    first, second = (_marks(study, keys) for study in (before, now))
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = (np.where(both, marks, np.nan) for marks in (first, second))
    bands = np.array([now.frame[key] for key in keys])
    sizes = [int((bands == band).sum()) for band in np.unique(bands)]
    marked = [int((both & (bands == band)).sum()) for band in np.unique(bands)]
    if not all(marked):
        return Estimate(
            value=None, level=level, method=method, reason="a band holds no conversation scored in both runs"
        )
    values = phase_values(bands, first) - phase_values(bands, second)
    found = cluster_t(values, [guidelines[key] for key in keys], level)
    fell, rose = (
        [int((both & changed & (bands == band)).sum()) for band in np.unique(bands)]
        for changed in (second > first, first > second)
    )
    low, high = _limits(mover(sizes, marked, rose, level), mover(sizes, marked, fell, level), sizes, marked, rose, fell)
    if found.low is not None and found.high is not None:
        low, high = min(low, found.low), max(high, found.high)
    known = {"n": int(both.sum()), "clusters": found.clusters, "level": level, "method": method}
    return Estimate(value=float(values.mean()), low=max(-1.0, low), high=min(1.0, high), **known)


def _limits(
    rose: tuple[float, float],
    fell: tuple[float, float],
    sizes: list[int],
    marked: list[int],
    risen: list[int],
    fallen: list[int],
) -> tuple[float, float]:
    """Return MOVER limits of the share that rose minus the share that fell."""
    weights = np.array(sizes) / sum(sizes) / np.array(marked)
    up, down = float(weights @ risen), float(weights @ fallen)
    low = up - down - math.hypot(up - rose[0], fell[1] - down)
    high = up - down + math.hypot(rose[1] - up, down - fell[0])
    return low, high


def _marks(study: PeopleFigures, keys: list[str]) -> Floats:
    verdicts = {item.key: item.jailbreak for item in study.decided}
    found = (verdicts.get(key) for key in keys)
    return np.array([np.nan if verdict is None else float(verdict) for verdict in found])
