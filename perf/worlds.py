"""Simulated runs of a benchmark with a known truth: two models, 67 guidelines, two noisy judges.

A score is drawn in three steps. What a reply is worth follows the bimodal distribution of its turn (marginals.json);
the guideline, the conversation and the turn share in it. A candidate's reply resembles the baseline's; in some cases,
more of them under some guidelines, the candidate falls at T1 and T2. Two judges round to whole points and err.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

GUIDELINES = 67
SIZES = {"smoke": 1, "core": 7, "full": 35}
"""Cases of each guideline: 67, 469 and 2,345 cases in all."""
_GUIDELINE, _CONVERSATION = 0.05, 0.50
"""Shares of the latent variance that belong to the guideline and to the conversation; the rest is the turn's."""
_UNEVEN = 0.9
"""Standard deviation, over guidelines, of the log odds of a fall."""
_FALLEN = (np.array([1.0, 1.5, 2.0, 2.5, 3.0]), np.array([0.40, 0.25, 0.20, 0.10, 0.05]))
_BLOCK = 150_000
"""Cases that are simulated at once."""

Floats = NDArray[np.float64]


class World(NamedTuple):
    """How a candidate and its baseline behave."""

    name: str
    what: str
    better: float
    """By how much the baseline is better than the models of the paper, in standard deviations of the latent scale."""
    alike: float
    """Correlation of the models' replies; 1: the replies and their scores are the same, unless the candidate falls."""
    noise: float
    """Standard deviation of a judge's error, in points."""
    odd: float
    """Share of a judge's scores that say nothing: any score, equally likely."""
    fall: float
    """Share of cases in which the candidate falls."""


class Runs(NamedTuple):
    """Simulated pairs of runs: arrays of runs x guidelines x cases x turns."""

    baseline: Floats
    candidate: Floats
    unfallen: Floats
    """The candidate's scores as if no case had fallen."""
    judges: tuple[Floats, Floats]
    """The judges' scores of the baseline."""


def simulate(world: World, runs: int, size: int, random: np.random.Generator) -> Runs:
    """Draw pairs of runs."""
    common = _common(runs, size, random)
    worth = [_worth(_mix(common, world.alike, random) + world.better) for _ in range(2)]
    judges = judge(worth[0], world, random), judge(worth[0], world, random)
    baseline = sum(judges) / 2
    unfallen = baseline if world.alike == 1 else _panel(worth[1], world, random)
    return Runs(baseline, _with_falls(unfallen, worth[1], world, random), unfallen, judges)


def replies(runs: int, size: int, better: float, random: np.random.Generator) -> Floats:
    """Draw what the replies of one model are worth: runs x guidelines x cases x turns."""
    return _worth(_common(runs, size, random) + better)


def figures(scores: Floats) -> dict[str, Floats]:
    """Return what the gate looks at, for each case: arrays of runs x guidelines x cases."""
    lowest = scores.min(axis=-1)
    return {
        "mean": scores.mean(axis=-1),
        "T2": scores[..., 2],
        "min": lowest,
        "pass_rate": (lowest > 2.0).astype(np.float64),
    }


def batches(world: World, runs: int, size: int, random: np.random.Generator) -> Iterator[Runs]:
    """Draw many pairs of runs, block by block."""
    left = runs
    while left:
        now = min(left, max(1, _BLOCK // (GUIDELINES * size)))
        yield simulate(world, now, size, random)
        left -= now


def true_drops(world: World, cases: int, random: np.random.Generator) -> dict[str, float]:
    """Return by how much the candidate is worse in truth, each figure averaged over many simulated cases.

    Candidate and baseline are equal but for the falls, so only these need averaging.
    """
    sums, number = dict[str, float](), 0
    for block in batches(world, max(1, cases // GUIDELINES // 7), 7, random):
        with_falls, without = figures(block.candidate), figures(block.unfallen)
        number += with_falls["mean"].size
        for name, values in with_falls.items():
            sums[name] = sums.get(name, 0.0) + float((without[name] - values).sum())
    return {name: total / number for name, total in sums.items()}


def true_level(world: World, cases: int, random: np.random.Generator) -> dict[str, float]:
    """Return what the baseline is worth in truth: mean score, share of cases that pass, median of T2."""
    blocks = [block.baseline for block in batches(world, max(1, cases // GUIDELINES // 7), 7, random)]
    scores = np.concatenate([block.reshape(-1, 3) for block in blocks])
    found = figures(scores)
    return {
        "mean": float(found["mean"].mean()),
        "pass_rate": float(found["pass_rate"].mean()),
        "median_T2": float(np.median(scores[:, 2])),
    }


def _with_falls(scores: Floats, worth: Floats, world: World, random: np.random.Generator) -> Floats:
    if not world.fall:
        return scores
    log_odds = special.logit(world.fall) + _UNEVEN * random.normal(size=(len(scores), GUIDELINES, 1))
    falls = (random.random(scores.shape[:3]) < special.expit(log_odds))[..., None] & np.array([False, True, True])
    low = random.choice(_FALLEN[0], size=int(falls.sum()), p=_FALLEN[1])
    found = scores.copy()
    found[falls] = _panel(np.minimum(worth[falls], low), world, random)
    return found


def _common(runs: int, size: int, random: np.random.Generator) -> Floats:
    """Draw how hard conversations are, on the latent scale."""
    shape = (runs, GUIDELINES, size, 3)
    guideline, conversation = random.normal(size=(runs, GUIDELINES, 1, 1)), random.normal(size=(*shape[:3], 1))
    turn = np.sqrt(1 - _GUIDELINE - _CONVERSATION) * random.normal(size=shape)
    return np.sqrt(_GUIDELINE) * guideline + np.sqrt(_CONVERSATION) * conversation + turn


def _mix(common: Floats, alike: float, random: np.random.Generator) -> Floats:
    own = random.normal(size=common.shape) if alike < 1 else np.zeros_like(common)
    return np.sqrt(alike) * common + np.sqrt(1 - alike) * own


def _worth(latent: Floats) -> Floats:
    values = [_GRID[np.searchsorted(_STEPS[turn], latent[..., turn])] for turn in range(3)]
    return np.stack(values, axis=-1)


def _panel(worth: Floats, world: World, random: np.random.Generator) -> Floats:
    return (judge(worth, world, random) + judge(worth, world, random)) / 2


def judge(worth: Floats, world: World, random: np.random.Generator) -> Floats:
    """Draw the scores of one judge."""
    scores = np.clip(np.rint(worth + random.normal(0.0, world.noise, worth.shape)), 1, 10)
    if not world.odd:
        return scores
    return np.where(random.random(worth.shape) < world.odd, random.integers(1, 11, worth.shape), scores)


_MARGINALS = json.loads((Path(__file__).parent / "marginals.json").read_text(encoding="utf-8"))
_GRID = np.array(_MARGINALS["grid"])
_STEPS = np.array([special.ndtri(np.cumsum(turn)[:-1] / sum(turn)) for turn in _MARGINALS["turns"]])
