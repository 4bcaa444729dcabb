"""What the shipped margins do all together: ``python perf/joint_gate.py [--runs N] [--seed N] [--only WORD]``.

Draws pairs of runs of 469 cases (67 guidelines, 7 strategies) whose turns either hold or break, two judges each, and
counts the answers of the whole comparison, as ``[gate.baseline]`` is shipped. Writes the table of
docs/explanation/gate.md, unless only some worlds are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pages
from numpy.typing import NDArray
from pages import DOCS

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

PAGE = DOCS / "explanation" / "gate.md"
GUIDELINES, STRATEGIES = 67, 7
CASES = GUIDELINES * STRATEGIES
TURNS = np.array([0.2, 1.0, 1.2])
"""How much of a case's chance to break T0, T1 and T2 have."""
RULES = Thresholds(schema_version=1)
ORIGIN = {
    "run": "run",
    "status": "complete",
    "finished": None,
    "tool_version": "",
    "git_commit": None,
    "model": "openai:model",
    "simulated_target": False,
    "target": {},
    "judges": tuple({"model": f"openai:{name}", "kind": "openai", "base_url": ""} for name in ("one", "two")),
    "judge_context": "full",
    "judging": {},
    "prompts": "",
    "thresholds": "",
    "turns": None,
    "repeats": 1,
    "served": {},
}
Floats = NDArray[np.float64]


class World(NamedTuple):
    """How a candidate and its baseline behave."""

    name: str
    breaks: float
    """Mean chance of a turn to break; it differs by case and guideline."""
    fresh: bool = True
    """Whether the candidate's replies are drawn anew; else they are the baseline's, and so are their scores."""
    drop: float = 0.0
    """What is added to the candidate's chance to break: half of it at T1, all of it at T2."""
    fallen: float = 0.0
    """Share of the cases whose last turn the candidate answers in full, though the baseline did not."""


WORLDS = (
    World("unchanged, one turn in thirty breaks", 0.03),
    World("unchanged, one in ten", 0.10),
    World("unchanged, one in four", 0.25),
    World("unchanged, two in five", 0.40),
    World("mean 0.42 lower, T2 most", 0.25, drop=0.14),
    World("same replies, 3 % new jailbreaks", 0.03, fresh=False, fallen=0.03),
    World("same replies, 5 % new jailbreaks", 0.03, fresh=False, fallen=0.05),
)


def main() -> None:
    parser = pages.parser(__doc__, 400)
    parser.add_argument("--only", default="", help="only worlds whose name holds this")
    options = parser.parse_args()
    text = pages.told(table(options.runs, options.seed, options.only))
    if not options.only:
        pages.publish(PAGE, "perf/joint_gate.py", text)


def table(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield the answers in every world, as the lines of a table."""
    yield "| model | change of the mean | sd of differences | pass | inconclusive | fail |"
    yield "|---|---:|---:|---:|---:|---:|"
    for number, world in enumerate(WORLDS):
        if only not in world.name:
            continue
        random = np.random.default_rng([seed, number])
        answers: Counter[str] = Counter()
        changes, spreads = [], []
        for _ in range(runs):
            before, now = pair(world, random)
            difference = now.mean(axis=0) - before.mean(axis=0)
            changes.append(difference.mean())
            spreads.append(difference.mean(axis=1).std())
            answers[compare(Baseline("b", "", sheet(before)), sheet(now), RULES).answer] += 1
        shares = [f"{answers[word] / runs:.1%}" for word in ("pass", "inconclusive", "fail")]
        yield f"| {world.name} | {np.mean(changes):.2f} | {np.mean(spreads):.2f} | {' | '.join(shares)} |"


def pair(world: World, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw the judges' scores of a baseline and of a candidate: arrays of judges x cases x turns."""
    chances = case_chances(world.breaks, random)
    worth = replies(chances, 0.0, random)
    before = judged(worth, random)
    now = judged(replies(chances, world.drop, random), random) if world.fresh else before.copy()
    fallen = (random.random(CASES) < world.fallen) & (before.mean(axis=0) > 2.0).all(axis=1)
    now[:, fallen, 2] = judged(np.full((int(fallen.sum()),), 1.0), random)
    return before, now


def case_chances(breaks: float, random: np.random.Generator) -> Floats:
    """Draw every case's chance to break, around that of its guideline."""
    guideline = random.beta(2, 2 / breaks - 2, GUIDELINES)
    return np.clip(np.repeat(guideline, STRATEGIES) * random.gamma(4, 0.25, CASES), 0, 1)


def replies(chances: Floats, drop: float, random: np.random.Generator) -> Floats:
    """Draw what replies are worth: about 8.8 where a turn holds, about 2.5 where it breaks."""
    chance = np.clip(chances[:, None] * TURNS + drop * np.array([0.0, 0.5, 1.0]), 0, 1)
    broken = random.random(chance.shape) < chance
    return np.where(broken, random.normal(2.5, 1.4, chance.shape), random.normal(8.8, 0.7, chance.shape))


def judged(worth: Floats, random: np.random.Generator) -> Floats:
    """Draw the scores of two judges, each in whole points."""
    return np.clip(np.rint(worth + random.normal(0.0, 0.5, (2, *worth.shape))), 1, 10)


def sheet(judges: Floats) -> ScoreSheet:
    """Return scores as a run's sheet."""
    rows = (
        Row(
            key=f"ja-case-{number}",
            locale="ja",
            guideline=f"JMA-{number // STRATEGIES + 1:02d}",
            strategy=f"S{number % STRATEGIES + 1}",
            digest="",
            turns=tuple(np.mean(own, axis=0).tolist()),
            judges=tuple(tuple(scores) for scores in own.tolist()),
        )
        for number, own in enumerate(judges.transpose(1, 0, 2))
    )
    return ScoreSheet(Origin.model_validate(ORIGIN), {row.key: row for row in rows})


if __name__ == "__main__":
    main()
