"""What looks at a run before its end save, and how often they err: ``python perf/early_stop.py [--runs N]``.

Draws pairs of runs as joint_gate.py does, puts their cases into the order of sampling, and has the real comparison look
at the candidate at the shipped suite's looks, stopping where the real gate would. Beside it stands the same run looked
at once. Of runs that are worse by exactly the margin of the mean it counts how often that figure passes at any look,
and of unchanged ones of 2,345 cases how many a pass before the end saves. Writes the tables of
docs/explanation/early-stop.md (``--part`` for one of them), unless only some worlds are asked for (``--only WORD``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import joint_gate
import numpy as np
import pages
from calibration import ALPHA, EQUAL, FEW_FALLS, FINE_TUNE, STRONG
from joint_gate import CASES, GUIDELINES, RULES, STRATEGIES, Floats, judged
from numpy.typing import NDArray
from pages import DOCS
from worlds import Runs, batches, figures, simulate, true_drops

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval
from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.analysis.noninferiority.endpoints import endpoints, overall
from jmedethic_pytest.analysis.noninferiority.pairs import Figure, Pairs
from jmedethic_pytest.cases import looks as order
from jmedethic_pytest.cases.files import Spot
from jmedethic_pytest.cases.index import Label
from jmedethic_pytest.config.tables import BaselineTable
from jmedethic_pytest.stats import sequential
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

PAGE = DOCS / "explanation" / "early-stop.md"
LOOKS = (134, 268, CASES)
_TRUTH = 1_000_000
"""Simulated cases behind a true drop."""
ADVERSE = {40.0: "fall by 0.21", 8.0: "rise by 0.16"}
"""Points: how loosely an adverse order follows the falls, and what the first 134 cases then do; all fall by 0.29."""
Random = np.random.Generator
Scores = tuple[Floats, Floats]
Change = Callable[[Scores, Random], Scores]


def _sampled() -> NDArray[np.int64]:
    """Return the numbers of the cases in the order of sampling."""
    spot = Spot(Path(), 0, 0, 0, 0)
    cells = [(f"JMA-{n // STRATEGIES + 1:02d}", f"S{n % STRATEGIES + 1}") for n in range(GUIDELINES * STRATEGIES)]
    labels = [Label(f"ja-{n}", "ja", *cell, (), None, range(3), 3, range(0), spot) for n, cell in enumerate(cells)]
    parts = order.segments(labels, LOOKS, 0)
    assert not list(order.unlike(parts))
    return np.array([int(label.stem) for part in parts for label in part])


ORDER = _sampled()
PLACE = np.empty(CASES)
PLACE[ORDER] = np.arange(CASES) / CASES
"""Where each case stands in it, from 0 to 1."""


def _nothing(scores: Scores, _random: Random) -> Scores:
    return scores


def _falls(share: float, *turns: int, under: int | None = None) -> Change:
    """Let turns of a share of the cases fall to the bottom: of all strategies, or of one."""

    def change(scores: Scores, random: Random) -> Scores:
        now = scores[1].copy()
        fallen = random.random(CASES) < share
        if under is not None:
            fallen &= np.arange(CASES) % STRATEGIES == under
        for turn in turns:
            now[:, fallen, turn] = judged(np.full(int(fallen.sum()), 1.0), random)
        return scores[0], now

    return change


def _harder(scores: Scores, random: Random) -> Scores:
    """Let last turns break in both runs, the more often the later a case comes: 30 % of the last, none at first."""
    hard = random.random(CASES) < 0.3 * PLACE
    for side in scores:
        side[:, hard, 2] = judged(np.full(int(hard.sum()), 2.5), random)
    return scores


def _late(scores: Scores, random: Random) -> Scores:
    """The same, and of the candidate's last turns fall 20 % of the last ones, none at first."""
    before, now = _harder(scores, random)
    fallen = random.random(CASES) < 0.2 * PLACE
    now[:, fallen, 2] = judged(np.full(int(fallen.sum()), 1.0), random)
    return before, now


class World(NamedTuple):
    """How a candidate and its baseline behave, and how the run is looked at."""

    name: str
    kind: joint_gate.World
    change: Change = _nothing
    skipped: tuple[int, ...] = ()
    """Looks that are skipped, as with too many missing scores."""


GOOD, NOISY = joint_gate.World("good", 0.03), joint_gate.World("noisy", 0.25)
FALLS = joint_gate.World("falls", 0.10)
CLEAR, SLIGHT = _falls(0.35, 1, 2), _falls(0.15, 1, 2)
WORLDS = (
    World("35 % of the cases fall", FALLS, CLEAR),
    World("15 % of the cases fall", FALLS, SLIGHT),
    World("strong baseline, 8 % of the last turns fall", GOOD, _falls(0.08, 2)),
    World("near the margin of the mean", NOISY._replace(drop=0.08)),
    World("unchanged, good", GOOD),
    World("unchanged, noisy", NOISY),
    World("35 % fall, the first look is skipped", FALLS, CLEAR, (134,)),
    World("15 % fall, the first look is skipped", FALLS, SLIGHT, (134,)),
    World("unchanged, noisy, the second look is skipped", NOISY, _nothing, (268,)),
    World("cases are harder and fall more often, the later they come", FALLS, _late),
    World("unchanged, noisy, and harder the later they come", NOISY, _harder),
    World("half of the last turns of one strategy fall", FALLS, _falls(0.5, 2, under=2)),
)


PER_LOOK, PER_GUIDELINE = (10, 20, 35), 35
"""Cases of each guideline at the looks of a suite of 2,345."""
NARROW = {"mean": 0.2, "turn": 0.3, "min": 0.3, "pass_rate": 0.03, "above_4": 0.05, "strategy": 0.5}
MARGINS = {"shipped": RULES.gate.baseline, "narrow": RULES.gate.baseline.model_copy(update=NARROW)}


class Seen(NamedTuple):
    """What came of a run."""

    fixed: str
    """The answer of one look, at the end."""
    answer: str
    """That of the looks."""
    cases: int
    """Evaluated until then."""


def main() -> None:
    parser = pages.parser(__doc__, 300)
    parser.add_argument("--only", default="", help="only worlds whose name holds this")
    parser.add_argument("--part", default="", choices=["", *PARTS], help="only this table")
    options = parser.parse_args()
    for name in [options.part] if options.part else PARTS:
        text = pages.told(PARTS[name](options.runs, options.seed, options.only))
        if not options.only:
            pages.publish(PAGE, f"perf/early_stop.py ({name})", text)


def savings(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield what comes of every world, as the lines of a table."""
    yield f"{runs} pairs of runs each, good for ±{200 * math.sqrt(0.25 / runs):.0f} points in the middle."
    yield ""
    yield "| candidate | looked at once: fail / inconclusive / pass | with looks, early fail | mean cases | saved |"
    yield "|---|---|---|---:|---:|"
    for number, world in enumerate(WORLDS):
        if only in world.name:
            random = np.random.default_rng([seed, 20, number])
            found = [look_at(world, random) for _ in range(runs)]
            cases = float(np.mean([item.cases for item in found]))
            cells = [_shares(Counter(item.fixed for item in found)), _shares(Counter(item.answer for item in found))]
            yield f"| {world.name} | {' | '.join(cells)} | {cases:.0f} | {1 - cases / CASES:.0%} |"


def errors(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield how often the mean passes although it is worse by exactly the margin, as the lines of a table.

    In the last rows cases that fell come later than others: then what is seen first is better than the whole.
    """
    runs *= 20
    yield f"{runs:,} pairs of runs each, good for ±{200 * math.sqrt(0.025 * 0.975 / runs):.1f} points at 2.5 %."
    yield ""
    yield "| worse by just the margin of the mean | looked at once | at the looks, 2.5 % spent | 2.5 % at each look |"
    yield "|---|---:|---:|---:|"
    fractions = tuple(look / CASES for look in LOOKS)
    levels = sequential.nominal(ALPHA, fractions, sequential.TO_PASS)
    worlds = [(FINE_TUNE, FINE_TUNE.what, 0.0), (FEW_FALLS, FEW_FALLS.what, 0.0)]
    worlds += [
        (FINE_TUNE, f"as the first, but the first 134 cases {first} where all fall by 0.29", loose)
        for loose, first in ADVERSE.items()
    ]
    for number, (world, what, loose) in enumerate(worlds):
        if only in what:
            drop = true_drops(world, _TRUTH, np.random.default_rng([seed, 21]))["mean"]
            passes, random = np.zeros(3), np.random.default_rng([seed, 22, number])
            for block in batches(world, runs, STRATEGIES, random):
                sides = [figures(side)["mean"] for side in (block.baseline, block.candidate)]
                for pair in zip(*(_adverse(sides, loose, random) if loose else sides), strict=True):
                    spent, whole = (_passed(pair, drop, alphas) for alphas in (levels, (ALPHA,) * len(LOOKS)))
                    passes += (whole[-1], any(spent), any(whole))
            yield f"| {what} | {' | '.join(f'{share:.1%}' for share in passes / runs)} |"


def _adverse(sides: Sequence[Floats], loose: float, random: Random) -> list[Floats]:
    """Put the cases of each guideline into an order in which those that fell tend to come later."""
    fell = sides[0] - sides[1] + random.normal(0.0, loose, sides[0].shape)
    order = np.argsort(fell, axis=2)
    return [np.take_along_axis(side, order, axis=2) for side in sides]


def _passed(pair: Scores, drop: float, alphas: Sequence[float]) -> list[bool]:
    """Tell at which looks the mean of a pair of runs passes, each at a level of its own."""
    found = []
    for look, alpha in zip(LOOKS, alphas, strict=True):
        before, now = (side[:, : look // GUIDELINES].reshape(-1) for side in pair)
        places = np.arange(before.size)
        figure = Figure(Side(before, before), Side(now, now), places // (look // GUIDELINES), places, 9.0)
        low = interval(figure, alpha).low
        found.append(low is not None and low > -drop)
    return found


def _shares(answers: Counter[str]) -> str:
    return " / ".join(f"{answers[word] / answers.total():.1%}" for word in ("fail", "inconclusive", "pass"))


def large(runs: int, seed: int, only: str) -> Iterator[str]:
    """Yield what a pass before the end saves of unchanged candidates in 2,345 cases, as the lines of a table."""
    runs = max(1, runs // 4)
    yield f"{runs} pairs of runs each; the panel's figures alone."
    yield ""
    yield "| unchanged candidate | margins | passes looked at once | passes with looks | mean cases | saved |"
    yield "|---|---|---:|---:|---:|---:|"
    for number, world in enumerate((STRONG, EQUAL)):
        for name, margins in MARGINS.items():
            if only in world.name:
                random = np.random.default_rng([seed, 23, number])
                found = [_passing(simulate(world, 1, PER_GUIDELINE, random), margins) for _ in range(runs)]
                once, answers, cases = zip(*found, strict=True)
                seen = float(np.mean(cases)) * GUIDELINES
                shares = f"{np.mean(once):.0%} | {np.mean(answers):.0%}"
                whole = PER_GUIDELINE * GUIDELINES
                yield f"| {world.what} | {name} | {shares} | {seen:,.0f} | {1 - seen / whole:.0%} |"


def _passing(runs: Runs, margins: BaselineTable) -> tuple[bool, bool, int]:
    """Tell whether a pair of runs passes looked at once, and with looks, and after how many cases a guideline."""
    before, now = (_sheet(side[0]) for side in (runs.baseline, runs.candidate))
    keys = list(before.rows)
    once = overall(endpoints(Pairs(before, now, RULES), margins)) == "pass"
    for place, look in enumerate(PER_LOOK):
        fractions = tuple(each / PER_GUIDELINE for each in PER_LOOK[: place + 1])
        chosen = [key for number, key in enumerate(keys) if number % PER_GUIDELINE < look]
        seen = ScoreSheet(now.origin, {key: now.rows[key] for key in chosen})
        if overall(endpoints(Pairs(before, seen, RULES), margins, fractions=fractions)) == "pass":
            return once, True, look
    return once, False, PER_GUIDELINE


def _sheet(scores: Floats) -> ScoreSheet:
    """Return the panel's scores, guidelines x cases x turns, as a run's sheet."""
    rows = [
        Row(f"ja-{guideline}-{case}", "ja", f"G{guideline}", f"S{case % STRATEGIES + 1}", "", tuple(turns), ())
        for guideline, cases in enumerate(scores.tolist())
        for case, turns in enumerate(cases)
    ]
    return ScoreSheet(Origin.model_validate(joint_gate.ORIGIN), {row.key: row for row in rows})


PARTS = {"savings": savings, "errors": errors, "large": large}


def look_at(world: World, random: Random) -> Seen:
    """Draw a pair of runs, and look at it once and as declared."""
    before, now = map(joint_gate.sheet, world.change(joint_gate.pair(world.kind, random), random))
    keys = [f"ja-case-{number}" for number in ORDER]
    baseline = Baseline("b", "", before)
    fixed = compare(baseline, now, RULES).answer
    taken: list[float] = []
    for look in LOOKS:
        if look in world.skipped:
            continue
        taken.append(look / CASES)
        if look == CASES:
            return Seen(fixed, compare(baseline, now, RULES, fractions=tuple(taken)).answer, CASES)
        seen = ScoreSheet(now.origin, {key: now.rows[key] for key in keys[:look]})
        found = endpoints(Pairs(before, seen, RULES), RULES.gate.baseline, fractions=tuple(taken))
        if overall(found) == "fail":
            return Seen(fixed, "fail", look)
    raise AssertionError("the last look is the end")


if __name__ == "__main__":
    main()
