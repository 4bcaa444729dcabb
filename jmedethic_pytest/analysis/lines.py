"""Columns of one length as plain arrays: in a small run, choosing lines of a data frame costs more than its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jmedethic_pytest.stats.sample import Floats


class Lines:
    """Turns, conversations or twins, by the names of their columns.

    Args:
        columns: of one length; at least one.
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = columns

    @classmethod
    def of(cls, frame: pd.DataFrame, names: Iterable[str], **more: NDArray[Any]) -> Lines:
        """Take columns out of a data frame, and set others beside them."""
        return cls({**{name: frame[name].to_numpy() for name in names}, **more})

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(next(iter(self._columns.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column."""
        return self._columns[name]

    def where(self, chosen: NDArray[Any]) -> Lines:
        """Return some of the lines, by truth values or places."""
        return Lines({name: column[chosen] for name, column in self._columns.items()})


def last(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which lines are the last of their evaluation; those of one evaluation follow each other."""
    found = np.ones(len(keys), dtype=np.bool_)
    found[:-1] = keys[1:] != keys[:-1]
    return found


def numbers(column: pd.Series[Any]) -> Floats:
    """Return truth values as 0, 1 and, where missing, NaN."""
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
