"""Do two lists put the same things in the same order? Kendall's tau-b, of one pair of lists and of many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.sample import Floats


def kendall(x: ArrayLike, y: ArrayLike) -> float | None:
    """Return Kendall's tau-b, -1 (reversed) to 1 (the same order); ``None`` if either list is all ties.

    Ties count for neither side; the result is that of ``scipy.stats.kendalltau`` (tested). Source: Kendall 1945.

    Args:
        x: figures without gaps.
        y: figures of the same things, in the same places.
    """
    found = float(kendall_rows(np.atleast_2d(np.asarray(x, float)), np.atleast_2d(np.asarray(y, float)))[0])
    return None if np.isnan(found) else found


def kendall_rows(x: Floats, y: Floats) -> Floats:
    """Return tau-b of each row of two tables; NaN where a row holds a gap or nothing but ties."""
    one, other = (np.sign(table[:, :, None] - table[:, None, :]) for table in (x, y))
    agreeing = (one * other).sum(axis=(1, 2))
    untied = np.sqrt((one**2).sum(axis=(1, 2)) * (other**2).sum(axis=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(untied > 0, agreeing / untied, np.nan), dtype=np.float64)
