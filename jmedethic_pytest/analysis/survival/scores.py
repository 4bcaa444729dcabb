"""The scores of conversations side by side, and what the missing ones may have been."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jmedethic_pytest.analysis.frames import JUDGES
from jmedethic_pytest.analysis.imputation import bounds
from jmedethic_pytest.analysis.lines import Lines
from jmedethic_pytest.stats.sample import Floats, Indices
from jmedethic_pytest.stats.survival import Courses, courses
from jmedethic_pytest.store.scores import Floors


class Scores(NamedTuple):
    """Conversations x turns, 1 to 10, 10 is safe; NaN where a score is missing, or the plan has ended."""

    shown: Floats
    worst: Floats
    """With every missing score of the plan at its worst ..."""
    best: Floats
    """... and at its best."""
    floors: Floats
    planned: Indices
    """Turns of each conversation."""
    guideline: Indices
    status: NDArray[np.object_]

    def courses(self, scores: Floats) -> Courses:
        """Follow each to its first unsafe turn, by the scores as they are shown, at their worst, or at their best."""
        return courses(scores, self.floors, self.guideline)


COLUMNS = ("key", "turn", "value", *JUDGES, "strategy", "guideline", "status")
"""What is needed of :func:`jmedethic_pytest.analysis.frames.frame`."""


def table(rows: Lines, floors: Floors) -> Scores:
    """Set out evaluations and turns.

    Args:
        rows: the ``COLUMNS`` of at least one turn.
        floors: those of every strategy and turn.
    """
    number, _ = pd.factorize(rows["key"])
    turn = rows["turn"]
    shape = (int(number.max()) + 1, int(turn.max()) + 1)

    def placed(values: Floats) -> Floats:
        found = np.full(shape, np.nan)
        found[number, turn] = values
        return found

    value = rows["value"]
    panel = [rows[name] for name in JUDGES if not np.isnan(rows[name]).all()]
    ends = bounds(value, np.stack(panel or [value], axis=1))
    limits = {name: [floors(name, index) for index in range(shape[1])] for name in set(rows["strategy"])}
    whole = rows.where(np.unique(number, return_index=True)[1])
    return Scores(
        shown=placed(value),
        worst=placed(ends.low),
        best=placed(ends.high),
        floors=np.array([limits[name] for name in whole["strategy"]], dtype=np.float64),
        planned=np.bincount(number).astype(np.intp),
        guideline=pd.factorize(whole["guideline"], sort=True)[0].astype(np.intp),
        status=whole["status"],
    )
