"""How much two runs of the same cases differ case by case: what a plan needs to know, from runs that exist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import numpy as np

from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.power import icc_oneway
from jmedethic_pytest.stats.sample import SAME
from jmedethic_pytest.store import baselines as baseline_files
from jmedethic_pytest.store import comparable
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.scores import Row, ScoreSheet

ASSUMED_SD, ASSUMED_ICC = 2.0, 0.02
"""Until two runs can be compared: conversation means of two models of one family differ by about so much."""
LEAST_PAIRS = 30
_NEWEST = 6


class Spread(Record):
    """How the conversation means of two runs differ."""

    sd: float
    """Standard deviation of the paired differences, in score points."""
    icc: float
    """Intra-cluster correlation of the differences within guidelines, at least 0."""
    icc_assumed: bool = False
    """True if it could not be measured: with one conversation per guideline nothing shows how alike two would be."""
    pairs: int
    """Pairs behind it; 0 if it is assumed."""
    source: str
    """Where it comes from, in words."""
    assumed: bool = False
    simulated: bool = False
    """True if the runs are simulations: their spread says nothing about a real model."""


ASSUMED = Spread(
    sd=ASSUMED_SD,
    icc=ASSUMED_ICC,
    icc_assumed=True,
    pairs=0,
    source="assumed: no two comparable runs are stored",
    assumed=True,
)


def measure(first: ScoreSheet, second: ScoreSheet) -> Spread | None:
    """Return the spread of second minus first; ``None`` with fewer than 30 pairs, or if no pair differs.

    Runs that never differ are mostly one run read twice from the response cache; no plan can be made of them.
    """
    paired = [(_mean(row), _mean(second.rows[key]), row) for key, row in first.rows.items() if key in second.rows]
    known = [(b - a, row.guideline) for a, b, row in paired if a is not None and b is not None and not row.twin]
    if len(known) < LEAST_PAIRS:
        return None
    differences = np.array([difference for difference, _ in known])
    sd = float(differences.std(ddof=1))
    if sd <= SAME:
        return None
    icc = icc_oneway(differences, np.array([guideline for _, guideline in known]))
    return Spread(
        sd=sd,
        icc=ASSUMED_ICC if icc is None else max(0.0, icc),
        icc_assumed=icc is None,
        pairs=len(known),
        source=f"{first.origin.run} and {second.origin.run}",
        simulated=first.origin.simulated_target or second.origin.simulated_target,
    )


def earlier(reports: Path, *, simulated: bool) -> Spread:
    """Return the spread between the two newest comparable runs or baselines, else the assumption.

    Args:
        reports: where runs and baselines are stored.
        simulated: whether simulated runs are asked for; they never stand in for real ones.
    """
    found = [sheet for sheet in _stored(reports) if sheet.origin.simulated_target == simulated]
    for first, second in combinations(found, 2):
        if not comparable.obstacles(second, first) or not comparable.obstacles(first, second):
            spread = measure(second, first)
            if spread is not None:
                return spread
    return ASSUMED


def measured(reports: Path, *, simulated: bool) -> ScoreSheet | None:
    """Return a stored baseline, or else the newest run, as what other runs of the model may look like.

    Args:
        reports: where runs and baselines are stored.
        simulated: whether a simulated run is asked for.
    """
    candidates = (sheet for sheets in (_baselines(reports), _stored(reports)) for sheet in sheets)
    return next((sheet for sheet in candidates if sheet.origin.simulated_target == simulated), None)


def _stored(reports: Path) -> Iterator[ScoreSheet]:
    """Yield the newest complete runs, newest first, then the baselines; what cannot be read is no help here."""
    newest = run_files.runs(reports)[::-1]
    for path in newest[:_NEWEST]:
        with suppress(JmedError):
            if run_files.read_info(path).status == "complete":
                yield run_scores.read(path)
    yield from _baselines(reports)


def _baselines(reports: Path) -> Iterator[ScoreSheet]:
    for path in baseline_files.stored(reports):
        with suppress(JmedError):
            yield baseline_files.read(path).sheet


def _mean(row: Row) -> float | None:
    known = [value for value in row.turns if value is not None]
    return sum(known) / len(known) if known and len(known) == len(row.turns) else None
