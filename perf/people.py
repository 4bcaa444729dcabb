"""How often the corrected share's interval holds the truth: whole studies, simulated from the draw to the figure.

    .venv/bin/python perf/people.py --runs 100

A run has 469 conversations of 67 guidelines that differ. Every conversation has a true lowest score; a panel sees it
with errors, misses some failures altogether and sees some where there are none, in one world by strategy. 100
conversations are drawn by band as ``jmedethic annotate sample`` draws them, two people score them, a third where they
differ by more than 3, and ``two_phase`` estimates the failing share. It is held against the truth, and against what
these people would say of the whole run.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.annotation import sampling
from jmedethic_pytest.annotation.consolidation import consolidated
from jmedethic_pytest.stats.validation import two_phase

Floats = NDArray[np.float64]
CASES, GUIDELINES, STRATEGIES, SAMPLE = 469, 67, 7, 100
FLOOR = 2.0


class World(NamedTuple):
    """What a run, its judges and people are like."""

    share: float
    """Of conversations that truly fail."""
    panel: float
    """Standard deviation of the panel's errors, in points."""
    blind: float = 0.15
    """Chance that the panel takes a failure for a good reply, whatever it says."""
    harsh: float = 0.01
    """Chance that it takes a good reply for a failure."""
    by_strategy: float = 0.0
    """By how many points the panel is more lenient to the last strategy than to the first."""
    missed: float = 0.0
    """Chance that one person does not see a failure."""


WORLDS = {
    "good judges": World(0.09, 0.7),
    "noisy judges": World(0.22, 2.0, blind=0.3, harsh=0.08),
    "few failures, half unseen": World(0.015, 0.7, blind=0.5),
    "errors by strategy": World(0.15, 0.7, by_strategy=3.0),
    "people miss one in ten": World(0.15, 0.7, missed=0.1),
}


class Outcome(NamedTuple):
    truth: bool
    """Whether the interval holds the true share ..."""
    people: bool
    """... and what these people would say of the whole run."""
    error: float
    half: float
    judges: float
    """Error of the judges' own share."""


def simulate(world: World, seed: int) -> Outcome:
    """Return how one study ends."""
    random = np.random.default_rng(seed)
    guideline = np.arange(CASES) % GUIDELINES
    strategy = random.integers(0, STRATEGIES, CASES)
    tilt = np.exp(random.normal(0, 0.7, GUIDELINES))
    chance = np.clip(world.share * (tilt / tilt.mean())[guideline], 0, 1)
    fails = random.random(CASES) < chance
    true = np.where(fails, random.uniform(1, 2, CASES), 2.5 + 7.5 * random.beta(4, 1.2, CASES))
    lean = world.by_strategy * (strategy / (STRATEGIES - 1) - 0.5)
    seen = np.where(fails & (random.random(CASES) < world.blind), random.uniform(4, 10, CASES), true)
    seen = np.where(~fails & (random.random(CASES) < world.harsh), random.uniform(1, 2, CASES), seen)
    panel = _half(seen + lean + random.normal(0, world.panel, CASES))
    marks = _people(true, fails, world.missed, random)
    drawn = sampling.draw(
        [
            sampling.Candidate(f"{i:03}", float(panel[i]), f"g{guideline[i]:02}", f"s{strategy[i]}", "ja")
            for i in range(CASES)
        ],
        SAMPLE,
        seed,
    )
    asked = np.zeros(CASES, dtype=np.bool_)
    asked[[int(key) for key in drawn.keys]] = True
    band = np.array([drawn.frame[f"{i:03}"] for i in range(CASES)])
    said = (marks <= FLOOR).astype(np.float64)
    found = two_phase(band, np.where(asked, said, np.nan), guideline)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    truth, whole = float(fails.mean()), float(said.mean())
    return Outcome(
        truth=found.low <= truth <= found.high,
        people=found.low <= whole <= found.high,
        error=found.value - truth,
        half=(found.high - found.low) / 2,
        judges=float((panel <= FLOOR).mean()) - truth,
    )


def _people(true: Floats, fails: NDArray[np.bool_], missed: float, random: np.random.Generator) -> Floats:
    """Return the consolidated score of three people: whole numbers near the truth, on its side of the floor."""
    given = np.round(true + random.normal(0, 0.7, (3, len(true))))
    given = np.where(fails, np.clip(given, 1, 2), np.clip(given, 3, 10))
    unseen = fails & (random.random(given.shape) < missed)
    given = np.where(unseen, random.integers(6, 9, given.shape), given).astype(int)
    scores = (consolidated(int(a), int(b), int(c)) for a, b, c in given.T)
    return np.array([np.nan if score is None else score for score in scores])


def _half(values: Floats) -> Floats:
    return np.clip(np.round(values * 2) / 2, 1, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100, help="studies in each world (100)")
    runs = parser.parse_args().runs
    print(f"{runs} studies in each world: {SAMPLE} of {CASES} conversations, {GUIDELINES} guidelines; in percent")
    print(f"{'world':<26} {'holds truth':>11} {'holds people':>12} {'RMSE':>6} {'half width':>10} {'judges alone':>12}")
    for name, world in WORLDS.items():
        found = [simulate(world, seed) for seed in range(runs)]
        truth, people, error, half, judges = (np.array(column, dtype=float) for column in zip(*found, strict=True))
        rmse, alone = np.sqrt((error**2).mean()), np.sqrt((judges**2).mean())
        figures = f"{truth.mean():>11.1%} {people.mean():>12.1%} {100 * rmse:>6.2f} {100 * half.mean():>10.2f}"
        print(f"{name:<26} {figures} {100 * alone:>12.2f}")


if __name__ == "__main__":
    main()
