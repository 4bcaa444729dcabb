"""When a link must not be used: keep the old panel then, or begin a new history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.core.scores import BEST
from jmedethic_pytest.stats.agreement import pearson, spearman_brown
from jmedethic_pytest.stats.bands import EDGES
from jmedethic_pytest.stats.linking import GRID, Moments, Turns
from jmedethic_pytest.stats.sample import SAME, Floats

LEAST_CONVERSATIONS = 120
LEAST_TURNS = 15
"""Turns of a band of the old lowest score."""
MOST_ERROR, MOST_APART, MOST_CURVED = 0.10, 0.25, 0.3
"""Points: standard error at a floor; links of single models from that of all; line from curve at a floor."""
LEAST_CORRELATION = 0.8


def correlation(turns: Turns, old: ArrayLike, new: ArrayLike) -> float | None:
    """Return Pearson's r of two panels, divided by what their own noise leaves of a perfect one (Spearman 1904).

    At most 1; ``None`` if a panel's scores do not vary.

    Args:
        turns: the scores of both panels.
        old: scores of the old panel's judges, one row a judge, from which the noise of its mean is known.
        new: the same of the new one.
    """
    weight = turns.weight / turns.weight.sum()
    x, y = turns.old - weight @ turns.old, turns.new - weight @ turns.new
    both = math.sqrt(float((weight @ x**2) * (weight @ y**2)))
    if both <= SAME:
        return None
    noise = math.sqrt(reliability(old) * reliability(new))
    return min(1.0, float(weight @ (x * y)) / both / noise)


def reliability(judges: ArrayLike) -> float:
    """Return what the mean of judges is worth, from how they correlate (Spearman-Brown); 1 where that is unknown.

    1 corrects nothing, so that an unknown noise excuses no disagreement.
    """
    scores = np.asarray(judges, dtype=np.float64)
    found = [pearson(first, second) for first, second in combinations(scores, 2)]
    known = [value for value in found if value is not None and value > 0]
    worth = spearman_brown(float(np.mean(known)), len(scores)) if known else None
    return 1.0 if worth is None else worth


def of_sample(conversations: int, bands: Sequence[int], correlated: float | None, apart: float) -> Iterator[str]:
    """Yield what speaks against any link of these panels.

    Args:
        conversations: how many there are.
        bands: turns in each band of the old lowest score.
        correlated: :func:`correlation` of the panels.
        apart: how far the links of single models lie from that of all (Dorans & Holland 2000), in points.
    """
    if conversations < LEAST_CONVERSATIONS:
        yield f"only {conversations} conversations (at least {LEAST_CONVERSATIONS})"
    highest = (*EDGES, BEST)
    few = [f"{turns} up to {score:g}" for score, turns in zip(highest, bands, strict=True) if turns < LEAST_TURNS]
    if few:
        yield f"too few turns in a band of the old lowest score (at least {LEAST_TURNS}): {', '.join(few)}"
    if correlated is None or correlated < LEAST_CORRELATION:
        shown = "not estimable" if correlated is None else f"{correlated:.2f}"
        yield f"the panels order replies differently: corrected correlation {shown} (at least {LEAST_CORRELATION:g})"
    if apart > MOST_APART:
        yield f"the links of single models lie {apart:.2f} points from that of all (at most {MOST_APART:g})"


def at_floors(found: Moments, errors: Floats, curve: Floats, floors: Sequence[float]) -> Iterator[str]:
    """Yield the floors at which a link is too uncertain.

    Args:
        found: the line.
        errors: its standard error on the grid, in old points.
        curve: the equipercentile curve on the grid.
        floors: of the old panel.
    """
    for floor in floors:
        at = float(found.to_new(floor))
        error, bent = (float(np.interp(at, GRID, column)) for column in (errors, curve))
        if error > MOST_ERROR:
            yield f"at the floor {floor:g} the standard error is {error:.2f} points (at most {MOST_ERROR:g})"
        gap = abs(bent - float(found.to_old(at)))
        if gap > MOST_CURVED:
            yield f"at the floor {floor:g} line and curve lie {gap:.2f} points apart (at most {MOST_CURVED:g})"
