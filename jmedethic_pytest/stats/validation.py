"""What people's marks of a part of a run say of the whole run: the failing share, and how often the judges err.

Two phases: the judges scored every conversation, people a sample that was drawn by band of the judges' scores. So the
plain shares of the sample say nothing; each drawn conversation stands for N_h / n_h of its band. A *jailbreak* is 1
where people call the unit one, and missing (NaN) where they were not asked. Shares are 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import NO_VALUES, cluster_t, wilson
from jmedethic_pytest.stats.resampling import ONE_CLUSTER
from jmedethic_pytest.stats.sample import SAME, Floats, floats


def two_phase(bands: ArrayLike, jailbreak: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate the true failing share of a run: ``sum_h N_h / N * p_h``, p_h the people's share in band h.

    It needs no assumption about the judges' errors, for the bands only say who was asked. The interval is the wider, at
    each end, of that of ``cluster_t`` for ``phase_values`` and that of ``mover``, which knows that a band without a
    jailbreak may hold some.

    Args:
        bands: the band of every unit of the run, as any label. Units without a score are a band of their own.
        jailbreak: 1 or 0 where people marked the unit, else missing.
        clusters: the guideline of every unit.
        level: coverage of the interval.

    Returns:
        The share; without a value and with the reason if no unit of a band was marked.
    """
    method = "two-phase, cluster t and MOVER"
    marks, labels = _marks(jailbreak), np.asarray(bands)
    if not len(marks):
        return Estimate(value=None, level=level, method=method, reason=NO_VALUES)
    names = np.unique(labels)
    inside = [labels == name for name in names]
    sizes = [int(there.sum()) for there in inside]
    marked = [int((there & ~np.isnan(marks)).sum()) for there in inside]
    found = [int(np.nansum(marks[there])) for there in inside]
    lacking = [str(name) for name, count in zip(names, marked, strict=True) if not count]
    n = sum(marked)
    if lacking:
        reason = f"no unit of band {', '.join(lacking)} was marked: its share is unknown"
        return Estimate(value=None, level=level, n=n, method=method, reason=reason)
    clustered = cluster_t(phase_values(labels, marks), clusters, level)
    low, high = mover(sizes, marked, found, level)
    known = {"value": clustered.value, "level": level, "n": n, "clusters": clustered.clusters, "method": method}
    if clustered.reason == ONE_CLUSTER:
        return Estimate(**known, reason=ONE_CLUSTER)
    if clustered.low is not None and clustered.high is not None:
        low, high = min(low, max(0.0, clustered.low)), max(high, min(1.0, clustered.high))
    return Estimate(**known, low=low, high=high)


def phase_values(bands: ArrayLike, jailbreak: ArrayLike) -> Floats:
    """Return one value a unit whose mean is the two-phase share: ``p_h + (N_h / n_h) 1{marked} (y - p_h)``.

    Differences of two runs that were marked on the same conversations are differences of these values, unit by unit.
    NaN in a band of which no unit was marked.
    """
    marks, labels = _marks(jailbreak), np.asarray(bands)
    values = np.full(len(marks), np.nan)
    for name in np.unique(labels):
        inside = labels == name
        marked = inside & ~np.isnan(marks)
        if marked.any():
            share = float(marks[marked].mean())
            values[inside] = share
            values[marked] += inside.sum() / marked.sum() * (marks[marked] - share)
    return values


def mover(
    sizes: Sequence[int], marked: Sequence[int], jailbreaks: Sequence[int], level: float = 0.95
) -> tuple[float, float]:
    """Return limits of ``sum_h N_h / N * p_h`` from Wilson's limits of each band (Zou & Donner 2008).

    ``low = share - sqrt(sum_h (N_h / N)^2 (p_h - l_h)^2)``, likewise high: a band without a jailbreak still adds the
    share that its few marks do not exclude. Cases count as independent.

    Args:
        sizes: units of each band, N_h.
        marked: those that people marked, n_h, at least one in each.
        jailbreaks: those among them that are jailbreaks.
        level: coverage.
    """
    weights = np.array(sizes, dtype=np.float64) / sum(sizes)
    limits = [wilson(*counts, level) for counts in zip(jailbreaks, marked, strict=True)]
    shares, lows, highs = (np.array([getattr(item, end) for item in limits]) for end in ("value", "low", "high"))
    share = float(weights @ shares)
    down, up = (float(np.sqrt((weights**2 * (shares - ends) ** 2).sum())) for ends in (lows, highs))
    return max(0.0, share - down), min(1.0, share + up)


def ppi(judged: ArrayLike, jailbreak: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate the true failing share from a *random* sample of marks and the judges' verdicts of all units.

    PPI++ (Angelopoulos, Duchi & Zrnic 2023): ``lambda mean_N(f) + mean_n(y - lambda f)`` with ``lambda = cov(y, f) /
    ((1 + n / N) var f)``, cut to 0 to 1, N being the units without a mark. Good judges (lambda near 1) make the
    interval narrower, useless ones are left out (lambda 0). For a sample drawn by band use ``two_phase``.

    Args:
        judged: 1 where the judges call the unit a jailbreak, 0 where not.
        jailbreak: 1 or 0 where people marked the unit, else missing.
        clusters: the guideline of every unit.
        level: coverage of the interval, that of ``cluster_t`` for the influence of each unit.
    """
    marks, f = _marks(jailbreak), floats(judged)
    marked = ~np.isnan(marks)
    n, rest = int(marked.sum()), int((~marked).sum())
    if n < 2:
        return Estimate(value=None, level=level, n=n, method="PPI++", reason="fewer than two marked units")
    y, seen, others = marks[marked], f[marked], f[~marked]
    spread = float(f.var())
    power = 0.0
    if rest and spread > SAME:
        power = min(1.0, max(0.0, float(np.cov(y, seen)[0, 1]) / ((1 + n / rest) * spread)))
    value = float((y - power * seen).mean()) + (power * float(others.mean()) if rest else 0.0)
    influence = np.full(len(f), value)
    influence[marked] += len(f) / n * (y - power * seen - float((y - power * seen).mean()))
    if rest:
        influence[~marked] += len(f) / rest * power * (others - float(others.mean()))
    found = cluster_t(influence, clusters, level)
    return found.model_copy(update={"value": value, "n": n, "method": f"PPI++, lambda {power:.2f}"})


def _marks(values: ArrayLike) -> Floats:
    marks = floats(values)
    if not np.isin(marks[~np.isnan(marks)], (0.0, 1.0)).all():
        raise ValueError("a mark is 1 for a jailbreak and 0 for none")
    return marks
