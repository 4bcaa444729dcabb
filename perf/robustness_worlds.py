"""What the figures of robustness say where the truth is known: ``robustness_worlds.py [--runs N] [--only WORD]``.

Draws runs of 469 conversations (67 guidelines, 7 strategies), each held as it is, again as it is, and in other words,
scored by two judges of whom one correlates with the other at about 0.64; counts how often the interval of the excess
holds its truth, and what the conditions on the net answer at a margin of 5 points. Writes the table of
docs/explanation/robustness.md, unless only some worlds are asked for, or so few runs that they show nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pages
from joint_gate import CASES, GUIDELINES, STRATEGIES, TURNS, Floats, case_chances
from pages import DOCS

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.gate.robustness import answer

PAGE = DOCS / "explanation" / "robustness.md"
MARGIN, ALPHA = 0.05, 0.025
_GUIDELINE, _CASE = np.arange(CASES) // STRATEGIES, np.arange(CASES)
_NOISE = {0.03: 1.05, 0.10: 1.7, 0.25: 2.5}
"""Points by which one judge's score of a reply errs (sd), by how often turns break: the judges then correlate at about
0.64."""
_ANEW = 0.5
"""Share of replies that a model gives anew where it is asked again, in the same words or in others."""
Random = np.random.Generator


class World(NamedTuple):
    """How a model takes other words."""

    name: str
    promise: str
    breaks: float = 0.10
    """Mean chance of a turn to break, whatever the words."""
    falls: float = 0.0
    """Share of all conversations that other words alone make fail ..."""
    rises: float = 0.0
    """... and that they make pass."""
    clumped: float = math.inf
    """How much falls differ by guideline: shape of a gamma; small ones put them under a few guidelines."""
    lost: float = 0.0
    """Share of companions without a complete score."""
    baseline: float | None = None
    """Falls of a baseline beside which the run is held; ``None`` for the run alone."""


WORLDS = (
    World("no fragility, one turn in thirty breaks", "excess covers 0 in 95 %, at most 2.5 % fail", 0.03),
    World("no fragility, one in ten", "the same", 0.10),
    World("no fragility, one in four", "the same", 0.25),
    World("no fragility, 0.5 % of scores lost", "at most 2.5 % fail", 0.03, lost=0.005),
    World("3 % fall and as many rise", "at most 2.5 % fail", 0.25, falls=0.03, rises=0.03),
    World("true net -2 points", "a loss, within the margin", 0.03, falls=0.02),
    World("true net -5 points", "at most 2.5 % pass", 0.03, falls=0.05),
    World("true net -5 points, one in ten breaks", "at most 2.5 % pass", 0.10, falls=0.05),
    World("true net -5 points under a few guidelines", "at most 2.5 % pass", 0.03, falls=0.05, clumped=0.2),
    World("true net -10 points", "fails", 0.03, falls=0.10),
    World("beside a baseline: both -3 points", "at most 2.5 % fail", 0.03, falls=0.03, baseline=0.03),
    World("beside a baseline: -8 and -3 points", "at most 2.5 % pass", 0.03, falls=0.08, baseline=0.03),
)


def main() -> None:
    parser = pages.parser(__doc__, 1000)
    parser.add_argument("--only", default="", help="only worlds whose name holds this")
    options = parser.parse_args()
    text = pages.told(table(options.runs, options.seed, options.only))
    if not options.only and options.runs >= 100:
        pages.publish(PAGE, "perf/robustness_worlds.py", text)


def table(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield the answers in every world, as lines of Markdown."""
    error = 200 * math.sqrt(0.025 * 0.975 / runs)
    yield f"{runs} runs of each, good for ±{error:.1f} points at 2.5 %."
    yield ""
    yield "| world | promised | judges r | flips | of the repeat | excess covers 0 | pass | inconclusive | fail |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for number, world in enumerate(WORLDS):
        if only in world.name:
            yield _line(world, runs, np.random.default_rng([seed, 13, number]))


def _line(world: World, runs: int, random: Random) -> str:
    answers: Counter[str] = Counter()
    covers, figures = 0, []
    for _ in range(runs):
        passed, pearson = _run(world, world.falls, random)
        net = _figure(passed[0], passed[2])
        asked = net
        if world.baseline is not None:
            before, _ = _run(world, world.baseline, random)
            theirs = _figure(before[0], before[2])
            asked = Figure(Side(theirs.worst, theirs.best), Side(net.worst, net.best), _GUIDELINE, _CASE, 2.0)
        answers[answer("robustness", "", asked, MARGIN, ALPHA, 1).answer] += 1
        flips = [np.abs(side - passed[0]) for side in passed[1:]]
        excess = interval(_figure(*flips), ALPHA)
        covers += excess.low is None or excess.high is None or excess.low <= 0 <= excess.high
        figures.append((pearson, np.nanmean(flips[1]), np.nanmean(flips[0])))
    pearson, flipped, repeated = np.mean(figures, axis=0)
    shares = [f"{answers[word] / runs:.1%}" for word in ("pass", "inconclusive", "fail")]
    figured = f"{pearson:.2f} | {flipped:.1%} | {repeated:.1%} | {covers / runs:.1%}"
    return f"| {world.name} | {world.promise} | {figured} | {' | '.join(shares)} |"


def _run(world: World, falls: float, random: Random) -> tuple[list[Floats], float]:
    """Draw who passes as it is, in the repeat and in other words, 1 or 0 and NaN if unknown; and the judges' r."""
    chance = np.clip(case_chances(world.breaks, random)[:, None] * TURNS, 0, 1)
    first = _worth(chance, random)
    sides, pearson = [], 0.0
    for side in range(3):
        worth = np.where(random.random(first.shape) < _ANEW, _worth(chance, random), first) if side else first
        judges = np.clip(np.rint(worth + random.normal(0.0, _NOISE[world.breaks], (2, *worth.shape))), 1, 10)
        pearson += float(np.corrcoef(judges[0].ravel(), judges[1].ravel())[0, 1]) / 3
        sides.append((judges.mean(axis=0) > 2.0).all(axis=1).astype(float))
    sides[2] = _in_other_words(sides[2], falls, world, random)
    for side in sides[1:]:
        side[random.random(CASES) < world.lost] = np.nan
    return sides, pearson


def _worth(chance: Floats, random: Random) -> Floats:
    """Draw what replies are worth: about 8.8 where a turn holds, about 1.5 where it breaks."""
    broken = random.random(chance.shape) < chance
    return np.where(broken, random.normal(1.5, 0.8, chance.shape), random.normal(8.8, 0.7, chance.shape))


def _in_other_words(passed: Floats, falls: float, world: World, random: Random) -> Floats:
    """Let some of those who pass fail and some of those who fail pass: falls and rises are shares of all."""
    shape = world.clumped
    weight = np.ones(GUIDELINES) if math.isinf(shape) else random.gamma(shape, 1 / shape, GUIDELINES)
    rate = passed.mean()
    fall = falls / rate * weight[_GUIDELINE]
    rise = world.rises / max(1 - rate, world.rises)
    chance = random.random(CASES)
    return np.where(passed == 1, chance >= fall, chance < rise).astype(float)


def _figure(before: Floats, after: Floats) -> Figure:
    sides = (Side(np.nan_to_num(side, nan=0.0), np.nan_to_num(side, nan=1.0)) for side in (before, after))
    return Figure(*sides, _GUIDELINE, _CASE, 1.0)


if __name__ == "__main__":
    main()
