"""How much better a model does on conversations that are public than on private ones of the same kind.

A model that was trained on the public conversations does well on them and no better than before on others. The two sets
are different conversations, so nothing is paired; what they have in common are the guidelines, the clusters of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.frames import attacks
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.two_sets import cluster_difference

_LIKE = ("guideline", "strategy", "locale")
"""What a conversation must have that both sets have: a set of other kinds is easier or harder for that alone."""


class Gap(Record):
    """A model's public minus its private scores; above zero it does better on what it may have seen."""

    model: str
    public_run: str
    private_run: str
    public: int
    """Conversations of the public run that count: of guidelines, strategies and languages that the private one has."""
    private: int
    guidelines: int
    """Guidelines that both have."""
    public_mean: float | None
    """Mean over the turns of a conversation, 1-10."""
    private_mean: float | None
    mean: Estimate
    """Their difference in points, 95 %, clustered by guideline."""
    pass_rate: Estimate
    """The same of the share of conversations with every turn above 2."""


def gaps(public: Sequence[StoredRun], private: Sequence[StoredRun]) -> tuple[Gap, ...]:
    """Return the gap of every private run to the public run of the same model.

    Raises:
        ConfigError: naming private runs without such a run, or that were judged or asked otherwise.
    """
    problems: list[str] = []
    found = []
    for run in private:
        same = [other for other in public if other.origin.model == run.origin.model]
        if len(same) != 1:
            known = ", ".join(other.origin.model for other in public)
            problems.append(
                f"--private: {run.origin.run} is of {run.origin.model}, of which {len(same)} runs are listed; give "
                f"exactly one. Listed: {known}."
            )
            continue
        problems += [f"--private: {run.origin.run}: {line}." for line in _unlike(same[0], run)]
        found.append((same[0], run))
    if problems:
        raise ConfigError(problems)
    return tuple(gap(one, other) for one, other in found)


def gap(public: StoredRun, private: StoredRun) -> Gap:
    """Return how much better a model does on the public conversations."""
    mine, theirs = _alike(attacks(public.cases), attacks(private.cases))
    return Gap(
        model=public.origin.model,
        public_run=public.origin.run,
        private_run=private.origin.run,
        public=len(mine),
        private=len(theirs),
        guidelines=mine["guideline"].nunique(),
        public_mean=_mean(mine["mean"]),
        private_mean=_mean(theirs["mean"]),
        mean=cluster_difference(_values(mine["mean"]), _of(mine), _values(theirs["mean"]), _of(theirs)).of_difference(),
        pass_rate=cluster_difference(_passed(mine), _of(mine), _passed(theirs), _of(theirs)).of_difference(1.0),
    )


def _unlike(public: StoredRun, private: StoredRun) -> Iterator[str]:
    yield from same_table.obstacles([public, private], same_cases=False)
    yield from same_table.notices([public, private])
    if public.origin.revision != private.origin.revision:
        yield f"its weights are {private.origin.revision}, those of the public run {public.origin.revision}"
    known, told = ({row.digest for row in run.sheet.rows.values()} for run in (public, private))
    if known & told:
        yield f"it holds {len(known & told)} conversations of the public run, so it is not private"


def _alike(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cases of kinds that both have."""
    for name in _LIKE:
        both = set(first[name]) & set(second[name])
        first, second = first[first[name].isin(both)], second[second[name].isin(both)]
    return first, second


def _of(cases: pd.DataFrame) -> NDArray[np.object_]:
    return cases["guideline"].to_numpy(dtype=object)


def _values(column: pd.Series[float]) -> NDArray[np.float64]:
    return np.asarray(column, dtype=np.float64)


def _passed(cases: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(1.0 - cases["failed"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))


def _mean(column: pd.Series[float]) -> float | None:
    known = column.dropna()
    return float(known.mean()) if len(known) else None
