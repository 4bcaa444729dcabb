"""The difference of the means of two sets of cases that share their clusters but no case."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import NO_VALUES, cluster_t


def cluster_difference(
    first: ArrayLike, first_clusters: ArrayLike, second: ArrayLike, second_clusters: ArrayLike, level: float = 0.95
) -> Estimate:
    """Estimate mean(first) - mean(second), with an interval that is robust to dependence within clusters.

    The difference is linear in the cases' influences, ``(x_i - mean) / n`` of one set and the negative of the other; a
    cluster's cases of both sets count together, so that what they have in common cancels. Cluster t over these.

    Args:
        first: one figure a case; missing ones are left out.
        first_clusters: the cluster of each.
        second: of the other set.
        second_clusters: the cluster of each.
        level: coverage of the interval.
    """
    sets = [
        (np.asarray(values, dtype=np.float64), np.asarray(names))
        for values, names in ((first, first_clusters), (second, second_clusters))
    ]
    (x, of_x), (y, of_y) = ((values[~np.isnan(values)], names[~np.isnan(values)]) for values, names in sets)
    method = "difference of two means, cluster t"
    if not len(x) or not len(y):
        return Estimate(value=None, level=level, method=method, reason=NO_VALUES)
    difference, n = float(x.mean() - y.mean()), len(x) + len(y)
    influences = np.concatenate(((x - x.mean()) * n / len(x), (y.mean() - y) * n / len(y)))
    found = cluster_t(difference + influences, np.concatenate((of_x, of_y)), level)
    return found.model_copy(update={"method": method})
