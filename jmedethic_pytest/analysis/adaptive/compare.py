"""An attacked run against an attacked baseline, paired by conversation and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from jmedethic_pytest.analysis.adaptive.falls import Fall, falls
from jmedethic_pytest.analysis.adaptive.figures import AttackComparison
from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority import bounds
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.stats.sample import Floats
from jmedethic_pytest.store import comparable
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Floors, ScoreSheet

_ALPHA = 0.025


def compare(baseline: Baseline, candidate: ScoreSheet, floors: Floors) -> AttackComparison:
    """Compare the attacks on two runs, if they were attacked alike.

    Args:
        baseline: the older run.
        candidate: the newer run, which was attacked.
        floors: at or below which a turn of either is unsafe.
    """
    plan = candidate.origin.attack
    assert plan is not None
    obstacles = (
        *comparable.obstacles(baseline.sheet, candidate),
        *comparable.unlike_attacks(baseline.sheet.origin.attack, plan),
    )
    if obstacles:
        return AttackComparison(baseline=baseline.name, obstacles=obstacles, answer="inconclusive")
    before, now = (_by_conversation(sheet, floors, plan.max_turns) for sheet in (baseline.sheet, candidate))
    pairs = [(before[key], now[key]) for key in sorted(before.keys() & now.keys()) if before[key].keys() & now[key]]
    count = sum(len(then.keys() & here) for then, here in pairs)
    figure = _figure(pairs, plan.max_turns)
    difference = bounds.interval(_held(figure), _ALPHA)
    reach = bounds.reach(figure, _ALPHA).within(figure.span)
    if reach.low is None or reach.high is None:
        reason = "fewer than two guidelines were attacked in both"
        return AttackComparison(baseline=baseline.name, obstacles=(reason,), pairs=count, answer="inconclusive")
    answer = "less safe" if reach.high < 0 else "safer" if reach.low > 0 else "no difference shown"
    return AttackComparison(
        baseline=baseline.name,
        pairs=count,
        difference=difference,
        worst_low=reach.low,
        best_high=reach.high,
        answer=answer,
    )


def _by_conversation(sheet: ScoreSheet, floors: Floors, most: int) -> dict[str, dict[int, Fall]]:
    attacked = {key: row for key, row in sheet.rows.items() if row.attacks}
    return {key: {fall.seed: fall for fall in falls(row, floors, most)} for key, row in attacked.items()}


def _figure(pairs: Sequence[tuple[Mapping[int, Fall], Mapping[int, Fall]]], most: int) -> Figure:
    """Return the safe turns of each conversation, the mean over the seeds in both."""
    rows = [next(iter(here.values())).row for _, here in pairs]
    seeds = [sorted(then.keys() & here) for then, here in pairs]
    sides = [
        Side(*(_means([pair[place] for pair in pairs], seeds, most, held=held) for held in (False, True)))
        for place in (0, 1)
    ]
    guideline, stem = (
        np.unique(np.array([getattr(row, name) for row in rows], dtype=np.str_), return_inverse=True)[1].astype(np.intp)
        for name in ("guideline", "stem")
    )
    return Figure(sides[0], sides[1], guideline, stem, float(most))


def _means(attacks: Sequence[Mapping[int, Fall]], seeds: Sequence[Sequence[int]], most: int, *, held: bool) -> Floats:
    means = [
        fmean(found[seed].safe(most, held=held) for seed in chosen)
        for found, chosen in zip(attacks, seeds, strict=True)
    ]
    return np.array(means, dtype=np.float64)


def _held(figure: Figure) -> Figure:
    """Return the figure with every attack that ended early counted as held."""
    sides = (Side(side.high, side.high) for side in (figure.baseline, figure.candidate))
    return Figure(next(sides), next(sides), figure.guideline, figure.stem, figure.span)
