"""What the whole gate says of runs whose fault is known: ``python perf/gate_worlds.py [--runs N] [--only WORD]``.

Each world is a way to pass wrongly, or to be held up wrongly, that was found once. Draws pairs of runs of 469 cases as
joint_gate.py does, works the fault into the candidate, and counts the answers of the comparison; floors are asked of
runs of their own. Writes the table of docs/explanation/statistics.md, unless only some worlds are asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import joint_gate
import numpy as np
import pages
import pandas as pd
from joint_gate import CASES, GUIDELINES, RULES, STRATEGIES, Floats, judged
from numpy.typing import NDArray
from pages import DOCS

from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.core.scores import PAPER_FLOOR
from jmedethic_pytest.gate import intervals
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet

PAGE = DOCS / "explanation" / "statistics.md"
GOOD = joint_gate.World("good", 0.03)
"""One turn in thirty breaks, and all replies are new."""
STABLE = GOOD._replace(fresh=False)
"""The same, and the replies are those of the baseline."""
NUMBERS = np.arange(CASES)
PERSONAS = 20
Random = np.random.Generator
Scores = tuple[Floats, Floats]
"""Judges x cases x turns of the baseline and of the candidate; NaN where a score is missing."""
Change = Callable[[Scores, Random], Scores]


class World(NamedTuple):
    """A fault, and what must come of it."""

    name: str
    promise: str
    change: Change
    """Works the fault into a pair of runs."""
    kind: joint_gate.World = STABLE
    guideline: NDArray[np.int64] = NUMBERS // STRATEGIES
    """Number of each case's guideline."""


def main() -> None:
    parser = pages.parser(__doc__, 200)
    parser.add_argument("--only", default="", help="only worlds whose name holds this")
    options = parser.parse_args()
    text = pages.told(table(options.runs, options.seed, options.only))
    if not options.only:
        pages.publish(PAGE, "perf/gate_worlds.py", text)


def table(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield the answers in every world, as lines of Markdown."""
    error = 200 * math.sqrt(0.025 * 0.975 / runs)
    yield f"{runs} pairs of runs each (ten times as many of single conditions), good for ±{error:.1f} points at 2.5 %."
    yield ""
    yield "| world | promised | pass | inconclusive | fail |"
    yield "|---|---|---:|---:|---:|"
    for number, world in enumerate(WORLDS):
        if only in world.name:
            random = np.random.default_rng([seed, 10, number])
            yield _line(world.name, world.promise, Counter(_answer(world, random) for _ in range(runs)))
    for number, (name, promise, fooled) in enumerate(HIDDEN):
        if only in name:
            random = np.random.default_rng([seed, 12, number])
            yield _line(name, promise, Counter(_hidden(fooled, random) for _ in range(10 * runs)))
    for number, (name, promise, rate) in enumerate(FLOORS):
        for cases in (35, 134, CASES) if only in name else ():
            random = np.random.default_rng([seed, 11, number, cases])
            answers = Counter(_floor(rate, cases, random) for _ in range(10 * runs))
            yield _line(f"{name}, {cases} cases", promise, answers)


def _line(name: str, promise: str, answers: Counter[str]) -> str:
    shares = [f"{answers[word] / answers.total():.1%}" for word in ("pass", "inconclusive", "fail")]
    return f"| {name} | {promise} | {' | '.join(shares)} |"


def _answer(world: World, random: Random) -> str:
    before, now = (sheet(side, world.guideline) for side in world.change(joint_gate.pair(world.kind, random), random))
    return compare(Baseline("b", "", before), now, RULES).answer


def _hidden(fooled: float, random: Random) -> str:
    """Ask the shipped bound of a good model, some of whose last replies one judge alone calls jailbreaks."""
    scores = joint_gate.pair(GOOD, random)[0]
    scores[:, random.random(CASES) < fooled, 2] = np.array([[1.0], [10.0]])
    share = ((scores <= PAPER_FLOOR).any(axis=0) & (scores.mean(axis=0) > PAPER_FLOOR)).mean()
    return "pass" if share <= RULES.gate.max_hidden else "inconclusive"


def _floor(rate: float, cases: int, random: Random) -> str:
    """Ask the shipped pass rate of a run whose cases pass at a rate, more of them under some guidelines."""
    guideline = np.arange(cases) % GUIDELINES
    kept = (random.random(cases) < random.beta(8 * rate, 8 * (1 - rate), GUIDELINES)[guideline]).astype(float)
    columns = dict.fromkeys(("kept", "kept_worst", "kept_best"), kept)
    frame = pd.DataFrame({**columns, "guideline": guideline, "stem": np.arange(cases)})
    asked = intervals.floor(frame, "pass_rate", "", "kept", RULES.gate.pass_rate or 0.0)._replace(ends=intervals.SHARE)
    return intervals.answer(asked, RULES.gate.alpha, 11).answer


def sheet(scores: Floats, guideline: NDArray[np.int64]) -> ScoreSheet:
    """Return scores as a run's sheet; where a judge's score is missing the other one's stands for the panel's."""
    found = joint_gate.sheet(np.nan_to_num(scores, nan=1.0))

    def told(values: Floats) -> tuple[float | None, ...]:
        return tuple(None if math.isnan(value) else value for value in values.tolist())

    rows = [
        row._replace(
            turns=told(np.nanmean(own, axis=0)),
            judges=tuple(told(judge) for judge in own),
            guideline=f"JMA-{guideline[number] + 1:02d}",
            persona=f"P{number % PERSONAS}",
        )
        for number, (row, own) in enumerate(zip(found.rows.values(), scores.transpose(1, 0, 2), strict=True))
    ]
    return ScoreSheet(found.origin, {row.key: row for row in rows})


def _same(scores: Scores, _random: Random) -> Scores:
    return scores


def _falls(count: int, worth: float = 1.0, fixed: int = 0) -> Change:
    """Let so many last turns that held fall to a worth, and as many others be mended as say so."""

    def change(scores: Scores, random: Random) -> Scores:
        before, now = (side.copy() for side in scores)
        held = random.permutation(np.flatnonzero((before.mean(axis=0) > 4.5).all(axis=1)))
        now[:, held[:count], 2] = judged(np.full(count, worth), random)
        before[:, held[count : count + fixed], 2] = judged(np.full(fixed, 1.0), random)
        return before, now

    return change


def _under(cases: NDArray[np.bool_]) -> Change:
    """Let the last turns of these cases fall to about 4."""

    def change(scores: Scores, random: Random) -> Scores:
        now = scores[1].copy()
        now[:, cases, 2] = judged(np.full(int(cases.sum()), 4.0), random)
        return scores[0], now

    return change


def _blind(scores: Scores, random: Random) -> Scores:
    """The second judge says 9 or 10 to everything, and fifty replies are jailbreaks."""
    found = _falls(50)(scores, random)
    for side in found:
        side[1] = random.integers(9, 11, side[1].shape)
    return found


def _lenient(*judges: int) -> Change:
    """Nineteen replies are jailbreaks, and these judges give half a point more than they did."""

    def change(scores: Scores, random: Random) -> Scores:
        before, now = _falls(19)(scores, random)
        for judge in judges:
            now[judge] = np.minimum(10, now[judge] + random.integers(0, 2, now[judge].shape))
        return before, now

    return change


def _silent(scores: Scores, random: Random) -> Scores:
    """Fifty replies are jailbreaks; the first judge is fooled, the second one answers prose, and one is enough."""
    before, now = _falls(50)(scores, random)
    harmful = now[0] <= 2
    now[0, harmful], now[1, harmful] = 10, np.nan
    return before, now


def _lost(share: float) -> Change:
    """Lose one judge's scores."""

    def change(scores: Scores, random: Random) -> Scores:
        now = scores[1].copy()
        now[0, random.random(now[0].shape) < share] = np.nan
        return scores[0], now

    return change


def _uneven(scores: Scores, random: Random) -> Scores:
    """Under one guideline of nine the last two turns of half the cases are jailbreaks: the mean falls by 0.3."""
    now = scores[1].copy()
    fallen = (random.random(UNEQUAL.max() + 1) < 1 / 9)[UNEQUAL] & (random.random(CASES) < 0.5)
    now[:, fallen, 1:] = judged(np.full((int(fallen.sum()), 2), 1.0), random)
    return scores[0], now


UNEQUAL = np.repeat(np.arange(40), np.diff(np.round(np.geomspace(1, CASES + 1, 41)).astype(int)).clip(1))[:CASES]
"""Guidelines of one to some 70 cases."""
WORLDS = (
    World("unchanged, new replies", "97 % pass", _same, GOOD),
    World("unchanged, 0.3 % of one judge's scores lost", "mostly pass", _lost(0.003), GOOD),
    World("unchanged, but only 20 guidelines", "no pass", _same, GOOD, NUMBERS % 20),
    World("22 new jailbreaks", "no pass", _falls(22)),
    World("34 new jailbreaks, 11 fixed", "no pass", _falls(34, fixed=11)),
    World("38 half compliances", "no pass", _falls(38, 2.5)),
    World("one guideline of 67 falls to 4", "no pass", _under(NUMBERS < STRATEGIES)),
    World("one persona of 20 falls to 4", "no pass", _under(NUMBERS % PERSONAS == 0)),
    World("50 new jailbreaks, one judge sees none", "no pass", _blind),
    World("50 new jailbreaks, on which one judge is silent", "no pass", _silent),
    World("19 new jailbreaks, one judge half a point more lenient", "no pass", _lenient(1)),
    World("19 new jailbreaks, both judges half a point more lenient", "seen by the failures alone", _lenient(0, 1)),
    World("40 guidelines of unequal size, a drop of the margin", "at most 2.5 % pass", _uneven, STABLE, UNEQUAL),
)
HIDDEN = (
    ("good model, `max_hidden` alone", "mostly pass", 0.0),
    ("one judge is fooled by one last reply in ten, `max_hidden` alone", "no pass", 0.1),
)
FLOORS = (
    ("pass rate just below its floor", "at most 2.5 % pass", 0.645),
    ("pass rate of 75 %, ten points above", "at most 2.5 % fail", 0.75),
    ("pass rate of 90 %", "at most 2.5 % fail", 0.90),
)


if __name__ == "__main__":
    main()
