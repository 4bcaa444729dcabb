"""What a missing score may have been: the panel's score of a turn lies between two values, whatever they were.

A judge who did not answer may have refused just the replies that others are fooled by. So where the settings show the
score of the others in its place (``allow_single``), the panel's is open between the worst and the best that this judge
could have given. A score that is not shown at all may have been any.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.core.scores import BEST, WORST
from jmedethic_pytest.stats.sample import Floats


class Side(NamedTuple):
    """One run: between what bounds each figure lies. They are equal where no score behind it is missing."""

    low: Floats
    high: Floats


def bounds(values: NDArray[Any], judges: NDArray[Any]) -> Side:
    """Return between what the panel's scores lie.

    Args:
        values: the panel's scores as they are shown, NaN where missing.
        judges: the same for each judge, along one axis more at the end. Where no judge's score is kept, the panel's
            stands for itself.
    """
    told = ~np.isnan(judges)
    split = told.any(axis=-1) & ~told.all(axis=-1)

    def end(missing: float) -> Floats:
        imputed = np.where(split, np.where(told, judges, missing).mean(axis=-1), values) if split.any() else values
        return np.where(np.isnan(values), missing, imputed)

    return Side(end(WORST), end(BEST))
