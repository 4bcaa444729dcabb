"""Values with the clusters they come from; what every statistic does first: leave out what is missing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SAME = 1e-9
"""Values closer than this are equal: scores lie on a grid of half points, their means on sixths."""


class Sample(NamedTuple):
    """Known values and the cluster of each."""

    values: Floats
    cluster: Indices
    """Number of the cluster of each value, from 0 without gaps."""
    clusters: int

    @property
    def n(self) -> int:
        """Number of values."""
        return len(self.values)

    def sums(self, values: Floats | None = None) -> Floats:
        """Return the sum of the values (or of others in the same order) within each cluster."""
        weights = self.values if values is None else values
        return np.bincount(self.cluster, weights=weights, minlength=self.clusters).astype(np.float64)

    def sizes(self) -> Floats:
        """Return the number of values in each cluster."""
        return np.bincount(self.cluster, minlength=self.clusters).astype(np.float64)


def floats(values: ArrayLike) -> Floats:
    """Return values as an array in which missing ones (``None``, NaN) are NaN.

    Raises:
        ValueError: if a value is infinite or no number, or if they are not in one row.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"one row of values is needed, got {array.ndim} dimensions")
    if np.isinf(array).any():
        raise ValueError("infinite values have no statistics")
    return array


def known(values: ArrayLike) -> Floats:
    """Return the values that are not missing."""
    array = floats(values)
    return array[~np.isnan(array)]


def sample(values: ArrayLike, clusters: ArrayLike) -> Sample:
    """Pair values with their clusters and leave out the missing ones.

    Args:
        values: one figure a case; ``None`` and NaN are missing.
        clusters: the guideline of each case, as any label.
    """
    array, labels = floats(values), np.asarray(clusters)
    if labels.shape != array.shape:
        raise ValueError(f"{len(array)} values need as many clusters, got {labels.size}")
    there = ~np.isnan(array)
    names, cluster = np.unique(labels[there], return_inverse=True)
    return Sample(array[there], cluster.astype(np.intp).reshape(-1), len(names))


def constant(values: Floats) -> bool:
    """Return whether all values are equal."""
    return bool(len(values)) and float(np.ptp(values)) <= SAME
