"""How much safety is lost from turn to turn within the same conversations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.multiplicity import bonferroni, holm
from jmedethic_pytest.stats.paired import friedman, wilcoxon
from jmedethic_pytest.stats.unpaired import mann_whitney

PAPER = "unpaired, as published"
"""Label of the paper's own analysis: it treats the turns of a conversation as if they were independent."""


class Step(Record):
    """Two turns compared. A positive difference means that safety was lost from the first to the second."""

    first: str
    """``T0``, ``T1``, ..."""
    second: str
    pairs: int
    """Conversations with a score at both turns."""
    difference: Estimate
    """Mean of (first - second) in points, clustered by guideline."""
    paired: Test
    """Wilcoxon signed-rank with Pratt's zeros, Holm over all steps; effects ``hodges_lehmann``, ``rank_biserial``,
    ``d_z``, ``mean``."""
    unpaired: Test
    """Mann-Whitney U with Bonferroni, effects ``cohen_d``, ``cliffs_delta``: unpaired, as published."""


class Degradation(Record):
    """The scores of a conversation over its turns."""

    turns: tuple[str, ...]
    """Turns that at least half of the conversations have."""
    n: int
    """Conversations with a score at every one of these turns."""
    mtsd: float | None
    """(median of the first turn - median of the last) / median of the first: 0.42 in the paper's data."""
    omnibus: Test
    """Friedman's test over these conversations; effect ``kendall_w``. It takes them as independent."""
    steps: tuple[Step, ...]
    """Every pair of turns."""
    paper: str = PAPER
    """What the ``unpaired`` figures are."""

    def step(self, first: str, second: str) -> Step | None:
        """Return the comparison of two turns, if there is one."""
        return next((step for step in self.steps if (step.first, step.second) == (first, second)), None)


def degradation(rows: pd.DataFrame) -> Degradation:
    """Compare the turns of the conversations in these rows (one row per evaluation and turn)."""
    case, cases = pd.factorize(rows["case"].to_numpy(), sort=True)
    place, turns = pd.factorize(rows["turn"].to_numpy(), sort=True)
    means = rows["value"].groupby(case * len(turns) + place).mean(skipna=False)  # over a case's repetitions
    table = np.full(len(cases) * len(turns), np.nan)
    table[means.index] = means
    common = np.bincount(means.index % len(turns), minlength=len(turns)) * 2 >= len(cases)
    matrix = table.reshape(len(cases), len(turns))[:, common]
    names = tuple(f"T{turn}" for turn in turns[common])
    first = rows["guideline"].to_numpy()[np.unique(case, return_index=True)[1]]
    clusters = pd.factorize(first, sort=True)[0]
    complete = matrix[~np.isnan(matrix).any(axis=1)] if len(names) else np.empty((0, 0))
    return Degradation(
        turns=names,
        n=len(complete),
        mtsd=_mtsd(matrix),
        omnibus=friedman(complete),
        steps=steps(matrix, names, clusters),
    )


def steps(matrix: NDArray[Any], names: Sequence[str], clusters: NDArray[Any]) -> tuple[Step, ...]:
    """Compare every pair of columns.

    Args:
        matrix: one row per conversation, one column per turn, NaN where there is no score.
        names: names of the turns.
        clusters: the guideline of every conversation.
    """
    chosen = list(combinations(range(len(names)), 2))
    both = [~np.isnan(matrix[:, [a, b]]).any(axis=1) for a, b in chosen]
    differences = [matrix[here, a] - matrix[here, b] for (a, b), here in zip(chosen, both, strict=True)]
    paired = _adjusted([wilcoxon(values) for values in differences], "Holm")
    columns = [column[~np.isnan(column)] for column in matrix.T]
    unpaired = _adjusted([mann_whitney(columns[a], columns[b]) for a, b in chosen], "Bonferroni")
    return tuple(
        Step(
            first=names[a],
            second=names[b],
            pairs=len(values),
            difference=cluster_t(values, clusters[here]).of_difference(),
            paired=one,
            unpaired=other,
        )
        for (a, b), here, values, one, other in zip(chosen, both, differences, paired, unpaired, strict=True)
    )


def _adjusted(tests: Sequence[Test], name: str) -> list[Test]:
    adjusted = (holm if name == "Holm" else bonferroni)([test.p for test in tests])
    return [
        test.model_copy(update={"p_adjusted": p, "adjustment": name}) for test, p in zip(tests, adjusted, strict=True)
    ]


def _mtsd(matrix: NDArray[Any]) -> float | None:
    if matrix.shape[1] < 2:
        return None
    ends = [column[~np.isnan(column)] for column in (matrix[:, 0], matrix[:, -1])]
    if not all(len(values) for values in ends):
        return None
    first, last = (float(np.median(values)) for values in ends)
    return (first - last) / first
