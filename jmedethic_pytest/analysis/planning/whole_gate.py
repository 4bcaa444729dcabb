"""The power of the whole gate, by simulation from measured scores: every figure must pass, not the mean alone.

A simulated baseline draws guidelines, and conversations of each, from a stored run. The candidate is the same model on
another day: part of its conversations are drawn anew, and part of its guidelines are treated as another one is, so that
the paired differences have the spread that is planned with. Judges alone, and the search among places, are left out:
they cost an unchanged model 1 to 3 % more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from jmedethic_pytest.analysis.noninferiority.endpoints import HALF_COMPLIANCE
from jmedethic_pytest.analysis.planning.variance import Spread
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.scores import BEST, SLACK, WORST
from jmedethic_pytest.stats.power import unseen_bound, unseen_share
from jmedethic_pytest.stats.sample import Floats, Indices
from jmedethic_pytest.stats.skewed import ends_of_many
from jmedethic_pytest.store.scores import ScoreSheet

LEAST = 30
"""Conversations of a run from which others can be drawn."""
_RUNS = 400
"""Simulated pairs of runs: two standard errors of a power of 80 % are 4 points."""


class Placed(Protocol):
    """Where a case belongs."""

    @property
    def stem(self) -> str:
        """Its id without its locale prefix."""

    @property
    def guideline(self) -> str:
        """Id of its guideline."""

    @property
    def strategy(self) -> str:
        """Id of its strategy."""


class _Figure(NamedTuple):
    differences: Floats
    """Candidate minus baseline: runs x cases."""
    where: Indices
    """Numbers of the cases it is of."""
    margin: float
    span: float
    grows: bool = False
    """Whether a certain drop, however small, keeps a run from passing."""


class WholeGate:
    """Draws pairs of runs of an unchanged model from a stored one.

    Args:
        stored: the run.
        rules: floors and margins.
        spread: how conversation means of two runs differ.
        true_drop: how much worse the candidate's mean really is, in points: some conversations fall altogether.
        seed: start of the random numbers; every sample is drawn with the same.
    """

    def __init__(
        self, stored: ScoreSheet, rules: Thresholds, spread: Spread, *, true_drop: float = 0.0, seed: int = 0
    ) -> None:
        rows = [row for row in stored.rows.values() if not row.twin and row.turns and None not in row.turns]
        # Of conversations with branches the common turns: two runs need not be asked the same after them.
        length = max((len(row.turns[: row.common]) for row in rows), default=0)
        rows = [row for row in rows if len(row.turns[: row.common]) == length]
        rows.sort(key=lambda row: (row.guideline, row.key))
        self._scores = np.array([row.turns[:length] for row in rows], dtype=np.float64).reshape(len(rows), length)
        names = np.array([row.guideline for row in rows], dtype=np.str_)
        self._first, self._sizes = (
            part.astype(np.intp) for part in np.unique(names, return_index=True, return_counts=True)[1:]
        )
        self._rules, self._true_drop, self._seed = rules, true_drop, seed
        self._anew, self._elsewhere = self._shares(spread)

    @property
    def enough(self) -> bool:
        """Whether there is something to draw from."""
        return len(self._scores) >= LEAST and len(self._sizes) > 1

    def power(self, cases: Sequence[Placed], alpha: float, mean: float, scale: float = 1.0) -> float:
        """Return the probability (0 to 1) that every figure of a comparison passes.

        Args:
            cases: those of the two runs.
            alpha: one-sided error rate of each figure.
            mean: margin of the mean score.
            scale: part of the other margins of ``[gate.baseline]`` that is accepted.
        """
        before, now = self._pairs(cases)
        guideline = np.unique([case.guideline for case in cases], return_inverse=True)[1].reshape(-1)
        stem = np.unique([case.stem for case in cases], return_inverse=True)[1].reshape(-1)
        passed = np.ones(len(before), dtype=np.bool_)
        for figure in self._figures(before, now, cases, mean, scale):
            if figure.margin >= figure.span - SLACK:  # switched off
                continue
            groups = guideline[figure.where]
            if len(np.unique(groups)) < 2:
                return 0.0
            changes, means = figure.differences, figure.differences.mean(axis=1)
            different = len(np.unique(stem[figure.where]))
            least = unseen_bound(different, len(np.unique(groups)), figure.span, alpha)
            passed &= (
                np.minimum(ends_of_many(changes, groups, 1 - 2 * alpha)[0], means - least) > -figure.margin + SLACK
            )
            if figure.grows:  # there are two such figures
                least = unseen_share(different, alpha / 2) * figure.span
                passed &= np.maximum(ends_of_many(changes, groups, 1 - alpha)[1], means + least) >= -SLACK
        return float(passed.mean())

    def _shares(self, spread: Spread) -> tuple[float, float]:
        """Return the shares of conversations drawn anew, and of guidelines treated as another one is."""
        means = self._scores.mean(axis=1)
        groups = np.repeat(np.arange(len(self._sizes)), self._sizes)
        centres = np.bincount(groups, weights=means) / self._sizes
        within, between = float(((means - centres[groups]) ** 2).mean()), float(centres.var())
        variance = spread.sd**2
        anew = min(1.0, variance * (1 - spread.icc) / (2 * within)) if within > 0 else 0.0
        return anew, min(1.0, variance * spread.icc / (2 * between)) if between > 0 else 0.0

    def _pairs(self, cases: Sequence[Placed]) -> tuple[Floats, Floats]:
        """Draw the turn scores of baselines and candidates: runs x cases x turns."""
        random = np.random.default_rng(self._seed)
        place = np.unique([case.guideline for case in cases], return_inverse=True)[1].reshape(-1)
        shape, groups = (_RUNS, len(cases)), (_RUNS, int(place.max()) + 1)
        donor = random.integers(0, len(self._sizes), groups)
        other = np.where(random.random(groups) < self._elsewhere, random.integers(0, len(self._sizes), groups), donor)
        old = self._members(donor[:, place], random)
        fresh = (random.random(shape) < self._anew) | (other != donor)[:, place]
        before, now = self._scores[old], self._scores[np.where(fresh, self._members(other[:, place], random), old)]
        if self._true_drop > 0:
            depth = (
                float(self._scores.mean())
                - (float(self._scores[:, 0].mean()) + WORST * (now.shape[2] - 1)) / now.shape[2]
            )
            falls = random.random(shape) < self._true_drop / max(depth, self._true_drop)
            now[falls, 1:] = WORST
        return before, now

    def _members(self, guidelines: Indices, random: np.random.Generator) -> Indices:
        """Draw a conversation of each of these guidelines."""
        sizes = self._sizes[guidelines]
        return self._first[guidelines] + (random.random(guidelines.shape) * sizes).astype(np.intp)

    def _figures(
        self, before: Floats, now: Floats, cases: Sequence[Placed], mean: float, scale: float
    ) -> Iterator[_Figure]:
        """Yield what ``[gate.baseline]`` asks of a run."""
        rules, points = self._rules.gate.baseline, BEST - WORST
        everywhere, turns = np.arange(len(cases)), range(now.shape[2])
        means = now.mean(axis=2) - before.mean(axis=2)
        yield _Figure(means, everywhere, mean, points)
        for turn in turns:
            margin = rules.turns.get(f"T{turn}", rules.turn) * scale
            yield _Figure(now[:, :, turn] - before[:, :, turn], everywhere, margin, points)
        lowest = np.asarray(now.min(axis=2) - before.min(axis=2))
        yield _Figure(lowest, everywhere, rules.min * scale, points)
        floors = np.array([[self._rules.floor_of(case.strategy, turn) for turn in turns] for case in cases])
        for limit, margin in ((floors, rules.pass_rate), (np.full_like(floors, HALF_COMPLIANCE), rules.above_4)):
            kept, kept_before = ((side > limit + SLACK).all(axis=2).astype(np.float64) for side in (now, before))
            yield _Figure(np.asarray(kept - kept_before), everywhere, margin * scale, 1.0, grows=True)
        safe, safe_before = (
            np.cumprod(side > floors + SLACK, axis=2).sum(axis=2, dtype=np.float64) for side in (now, before)
        )
        yield _Figure(safe - safe_before, everywhere, rules.safe_turns * scale, float(now.shape[2]))
        strategies = np.array([case.strategy for case in cases])
        for strategy in np.unique(strategies):
            where = np.flatnonzero(strategies == strategy)
            margin = rules.strategies.get(str(strategy), rules.strategy) * scale
            yield _Figure(means[:, where], where, margin, points)
