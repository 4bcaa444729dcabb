"""The same models under several packs, paired by the duties that the packs have in common.

A duty is the unit: the same conversation does not exist under two lists of guidelines, the same duty does (``data/
equivalents.json``). Each duty counts once, each model counts once, and intervals are over duties: they say how far the
difference would hold under other duties of the kind, for these models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from jmedethic_pytest.analysis.cultures import arms as arranging
from jmedethic_pytest.analysis.cultures.arms import Arm
from jmedethic_pytest.analysis.cultures.records import (
    LEAST_GROUPS,
    MOST_MISSING,
    Carried,
    Contrast,
    Cultures,
    Finding,
    GapChange,
    KindGap,
    ModelDifference,
    PackFigures,
)
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.scores import BEST, WORST
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.stats.association import kendall, kendall_rows
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.resampling import draws, from_draws

_RESAMPLES = 2000
_FEWEST_STRATEGIES = 5
"""Strategies that both packs must have scored for their order to be compared."""
Kinds = Mapping[str, Sequence[StoredRun]]


def cultures(runs: Sequence[StoredRun], kinds: Kinds | None = None) -> Cultures:
    """Compare packs. The caller has checked :func:`arms.obstacles`; what it overrode is labelled here.

    Args:
        runs: each of one model under one pack.
        kinds: runs by the kind of their model: commercial, medical, open.

    Raises:
        ConfigError: for runs that cannot be sorted by pack and model.
    """
    sorted_arms = arranging.sorted_runs(runs)
    by_pack: dict[str, list[Arm]] = {}
    for arm in sorted_arms:
        by_pack.setdefault(arm.pack, []).append(arm)
    locales = _locales(runs, sorted_arms)
    kind_of = {run.origin.model: kind for kind, members in (kinds or {}).items() for run in members}
    pairs = list(combinations(by_pack, 2))
    return Cultures(
        simulated=any(run.origin.simulated_target for run in runs),
        forced=arranging.obstacles(runs),
        notices=(*arranging.notices(runs), *_left_out(by_pack)),
        packs=tuple(_pack(name, members, locales[name]) for name, members in by_pack.items()),
        contrasts=tuple(contrast(by_pack[first], by_pack[second]) for first, second in pairs),
        gaps=tuple(gap for members in by_pack.values() for gap in _gaps(members, kind_of)),
        changes=tuple(found for one, other in pairs for found in _changes(by_pack[one], by_pack[other], kind_of)),
    )


def contrast(first: Sequence[Arm], second: Sequence[Arm]) -> Contrast:
    """Compare two packs by the models that were run under both."""
    both = [(one, other) for one in first for other in second if one.model == other.model]
    names = (first[0].pack, second[0].pack)
    mine, theirs = (_pooled([pair[side] for pair in both]) for side in (0, 1))
    shared = _shared(mine, theirs)
    missing, worst = _missing(mine, theirs)
    reason = _too_little(shared, worst, models=len(both))
    mean = _difference(mine, theirs, shared, "mean", BEST - WORST)
    tau, strategies = _transfer(mine, theirs, shared)
    return Contrast(
        first=names[0],
        second=names[1],
        groups=len(shared),
        missing=missing,
        finding=_finding(mean, reason),
        reason=reason or mean.reason,
        mean=mean,
        pass_rate=_difference(mine, theirs, shared, "passed", 1.0),
        models=tuple(
            ModelDifference(
                model=one.model,
                mean=_difference(one.cases, other.cases, _shared(one.cases, other.cases), "mean", BEST - WORST),
            )
            for one, other in both
        ),
        tau=tau,
        strategies=strategies,
        carried=_carried(tau, reason, strategies),
    )


def _locales(runs: Sequence[StoredRun], found: Sequence[Arm]) -> dict[str, tuple[str, ...]]:
    spoken: dict[str, set[str]] = {}
    for run, arm in zip(runs, found, strict=True):
        spoken.setdefault(arm.pack, set()).update(run.locales)
    return {pack: tuple(sorted(tags)) for pack, tags in spoken.items()}


def _left_out(by_pack: Mapping[str, Sequence[Arm]]) -> list[str]:
    everywhere = set.intersection(*({arm.model for arm in members} for members in by_pack.values()))
    alone = sorted({arm.model for members in by_pack.values() for arm in members} - everywhere)
    return [say("packs.alone", models=", ".join(alone))] if alone else []


def _pooled(members: Sequence[Arm]) -> pd.DataFrame:
    """Return the conversations of several models as those of one: the mean over the models, missing if one lacks it."""
    frames = [arm.cases for arm in members]
    if not frames:
        return pd.DataFrame(columns=["case", "guideline", "strategy", "duty", *arranging.FIGURES])
    every = pd.concat(frames)
    grouped = every.groupby("case", sort=True)[list(arranging.FIGURES)]
    means = grouped.mean().where(grouped.count() == len(frames))
    labels = every.drop_duplicates("case").set_index("case")[["guideline", "strategy", "duty"]]
    return means.join(labels).reset_index()


def _shared(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Return the duties with a scored conversation in both."""
    scored = [set(frame.loc[frame["mean"].notna(), "duty"].dropna()) for frame in (first, second)]
    return sorted(set.intersection(*scored))


def _missing(*frames: pd.DataFrame) -> tuple[int, float]:
    """Return how many conversations under the duties of both packs lack a score, and the larger share of a pack."""
    stated = set.intersection(*(set(frame["duty"].dropna()) for frame in frames))
    lost = [frame.loc[frame["duty"].isin(stated), "mean"].isna() for frame in frames]
    return sum(int(gone.sum()) for gone in lost), max((float(gone.mean()) for gone in lost if len(gone)), default=0.0)


def _by_duty(frame: pd.DataFrame, shared: list[str], value: str) -> pd.Series[float]:
    return frame.groupby("duty")[value].mean().reindex(shared)


def _difference(first: pd.DataFrame, second: pd.DataFrame, shared: list[str], value: str, span: float) -> Estimate:
    """Return the mean over duties of second minus first: one figure a duty, so that each of them is a cluster."""
    found = _by_duty(second, shared, value) - _by_duty(first, shared, value)
    return cluster_t(found.to_numpy(dtype=float), np.arange(len(found))).of_difference(span)


def _too_little(shared: list[str], missing: float, *, models: int) -> str:
    """Say why nothing follows from two packs; empty if something does."""
    if not models:
        return say("packs.models")
    if len(shared) < LEAST_GROUPS:
        return say("packs.few", shared=len(shared), least=LEAST_GROUPS)
    if missing > MOST_MISSING:
        return say("packs.missing", missing=f"{missing:.0%}", most=f"{MOST_MISSING:.0%}")
    return ""


def _finding(mean: Estimate, reason: str) -> Finding:
    if reason or mean.low is None or mean.high is None:
        return "inconclusive"
    return "second" if mean.low > 0 else "first" if mean.high < 0 else "no difference shown"


def _transfer(first: pd.DataFrame, second: pd.DataFrame, shared: list[str]) -> tuple[Estimate, int]:
    """Return tau-b of the strategies' effectiveness under shared duties, and how many strategies both have scored.

    Duties are drawn with replacement, with all their conversations in both packs.
    """
    one, other = (_by_strategy(frame, shared) for frame in (first, second))
    used = sorted(set(one[0].columns) & set(other[0].columns))
    if len(used) < 2 or not shared:
        return Estimate(value=None, method="cluster bootstrap", reason="fewer than two strategies in both packs"), 0
    tables = [(total[used].to_numpy(), number[used].to_numpy()) for total, number in (one, other)]
    value = kendall(*(total.sum(axis=0) / number.sum(axis=0) for total, number in tables))
    weights = draws(len(shared), _RESAMPLES, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [(weights @ total) / (weights @ number) for total, number in tables]
    drawn = kendall_rows(*means)
    drawn[np.isnan(np.concatenate(means, axis=1)).any(axis=1)] = np.nan
    return from_draws(value, drawn, n=len(used), clusters=len(shared)), len(used)


def _by_strategy(frame: pd.DataFrame, shared: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sum and number of the lowest turns, duties x strategies."""
    grouped = frame[frame["duty"].isin(shared) & frame["min"].notna()].groupby(["duty", "strategy"])["min"]
    total, number = (table.unstack("strategy").reindex(shared).fillna(0.0) for table in (grouped.sum(), grouped.size()))
    return total, number


def _carried(tau: Estimate, reason: str, strategies: int) -> Carried:
    if reason or tau.low is None or strategies < _FEWEST_STRATEGIES:
        return "inconclusive"
    return "carries over" if tau.low > 0 else "not shown"


def _pack(name: str, members: Sequence[Arm], locales: tuple[str, ...]) -> PackFigures:
    pooled, every = _pooled(members), pd.concat([arm.cases for arm in members])
    lowest = pooled.groupby("strategy", sort=True)["min"].mean()
    return PackFigures(
        name=name,
        locales=locales,
        models=tuple(arm.model for arm in members),
        guidelines=int(pooled["guideline"].nunique()),
        conversations=int(every["mean"].notna().sum()),
        missing=int(every["mean"].isna().sum()),
        mean=cluster_t(pooled["mean"].to_numpy(dtype=float), pooled["guideline"].to_numpy()).within(WORST, BEST),
        pass_rate=cluster_t(pooled["passed"].to_numpy(dtype=float), pooled["guideline"].to_numpy()).within(0, 1),
        strategies={str(key): None if np.isnan(value) else float(value) for key, value in lowest.items()},
    )


def _kinds(members: Sequence[Arm], kind_of: Mapping[str, str]) -> dict[str, list[Arm]]:
    found: dict[str, list[Arm]] = {}
    for arm in members:
        if arm.model in kind_of:
            found.setdefault(kind_of[arm.model], []).append(arm)
    return {kind: found[kind] for kind in sorted(found)}


def _gap(kinds: Mapping[str, Sequence[Arm]], first: str, second: str) -> pd.DataFrame:
    """Return the conversations with the difference of two kinds (first minus second) in place of their mean."""
    one, other = _pooled(kinds[first]), _pooled(kinds[second])
    both = one.merge(other[["case", "mean"]], on="case", suffixes=("", "_other"))
    return both.assign(mean=both["mean"] - both["mean_other"])


def _gaps(members: Sequence[Arm], kind_of: Mapping[str, str]) -> list[KindGap]:
    kinds = _kinds(members, kind_of)
    found = []
    for first, second in combinations(kinds, 2):
        cases = _gap(kinds, first, second)
        gap = cluster_t(cases["mean"].to_numpy(dtype=float), cases["guideline"].to_numpy()).of_difference()
        models = (len(kinds[first]), len(kinds[second]))
        found.append(KindGap(pack=members[0].pack, first=first, second=second, models=models, gap=gap))
    return found


def _changes(one: Sequence[Arm], other: Sequence[Arm], kind_of: Mapping[str, str]) -> list[GapChange]:
    """Return how gaps differ between two packs, by the models that were run under both."""
    common = {arm.model for arm in one} & {arm.model for arm in other}
    here, there = (_kinds([arm for arm in members if arm.model in common], kind_of) for members in (one, other))
    found = []
    for first, second in combinations(here, 2):
        mine, theirs = _gap(here, first, second), _gap(there, first, second)
        shared = _shared(mine, theirs)
        _, worst = _missing(mine, theirs)
        found.append(
            GapChange(
                packs=(one[0].pack, other[0].pack),
                first=first,
                second=second,
                change=_difference(mine, theirs, shared, "mean", 2 * (BEST - WORST)),
                reason=_too_little(shared, worst, models=len(common)),
            )
        )
    return found
