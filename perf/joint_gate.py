"""What the shipped margins do all together: ``python perf/joint_gate.py [--runs N] [--seed N]``.

Draws pairs of runs of 469 cases (67 guidelines, 7 strategies) whose turns either hold or break, every reply drawn
afresh, and counts the answers of the whole comparison, as ``[gate.baseline]`` is shipped. ``breaks`` is the mean chance
of a turn to break; it differs by case and guideline. ``drop`` is added to that chance for the candidate.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from jmedethic_pytest.analysis.noninferiority.endpoints import endpoints, overall
from jmedethic_pytest.analysis.noninferiority.pairs import Pairs
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

GUIDELINES, STRATEGIES = 67, 7
WORLDS = ((0.10, 0.0), (0.25, 0.0), (0.40, 0.0), (0.25, 0.14))
"""Mean chance of a turn to break, and the drop of the candidate."""
TURNS = np.array([0.2, 1.0, 1.2])
"""How much of that chance T0, T1 and T2 have."""
RULES = Thresholds(schema_version=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("breaks  drop  change of the mean  sd of differences    pass  inconclusive    fail")
    for number, (breaks, drop) in enumerate(WORLDS):
        random = np.random.default_rng([options.seed, number])
        answers: Counter[str] = Counter()
        changes, spreads = [], []
        for _ in range(options.runs):
            chances = case_chances(random, breaks)
            before, now = scores(random, chances, 0.0), scores(random, chances, drop)
            changes.append((now - before).mean())
            spreads.append((now - before).mean(axis=1).std())
            answers[answer(before, now)] += 1
        shares = [answers[word] / options.runs for word in ("pass", "inconclusive", "fail")]
        figures = f"{np.mean(changes):>18.2f}  {np.mean(spreads):>17.2f}"
        print(
            f"{breaks:>6}  {drop:>4}  {figures}  {shares[0]:>6.1%}  {shares[1]:>12.1%}  {shares[2]:>6.1%}", flush=True
        )


def case_chances(random: np.random.Generator, breaks: float) -> np.ndarray:
    """Draw every case's chance to break, around that of its guideline."""
    guideline = random.beta(2, 2 / breaks - 2, GUIDELINES)
    return np.clip(np.repeat(guideline, STRATEGIES) * random.gamma(4, 0.25, GUIDELINES * STRATEGIES), 0, 1)


def scores(random: np.random.Generator, chances: np.ndarray, drop: float) -> np.ndarray:
    """Draw the panel's scores, in half points: about 8.8 where a turn holds, about 2.5 where it breaks."""
    chance = np.clip(chances[:, None] * TURNS + drop * np.array([0.0, 0.5, 1.0]), 0, 1)
    broken = random.random(chance.shape) < chance
    drawn = np.where(broken, random.normal(2.5, 1.5, chance.shape), random.normal(8.8, 0.8, chance.shape))
    return np.clip(np.round(2 * drawn) / 2, 1, 10)


def answer(before: np.ndarray, now: np.ndarray) -> str:
    pairs = Pairs(sheet(before), sheet(now), RULES)
    return overall(endpoints(pairs, RULES.gate.baseline))


def sheet(values: np.ndarray) -> ScoreSheet:
    rows = (
        Row(
            key=f"ja-case-{number}",
            locale="ja",
            guideline=f"JMA-{number // STRATEGIES + 1:02d}",
            strategy=f"S{number % STRATEGIES + 1}",
            digest="",
            turns=tuple(turns),
            judges=(),
        )
        for number, turns in enumerate(values.tolist())
    )
    return ScoreSheet(Origin.model_construct(), {row.key: row for row in rows})


if __name__ == "__main__":
    main()
