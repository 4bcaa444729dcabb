"""How often the figures of long conversations err: ``python perf/survival_worlds.py [--runs N] [--seed N]``.

Draws runs of seven turns whose hazards are known, and counts what the package's own functions say of them. A world is a
course of the hazard, how much guidelines differ (variance of the logit), and how much conversations do. Writes the
tables of docs/explanation/long-conversations.md; with fewer than 100 runs it prints them only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pages
import pandas as pd
from numpy.typing import NDArray
from pages import DOCS
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import Reach, interval
from jmedethic_pytest.analysis.noninferiority.endpoints import decide
from jmedethic_pytest.analysis.noninferiority.pairs import Figure
from jmedethic_pytest.analysis.survival.records import EndedEarly, Survival
from jmedethic_pytest.analysis.survival.survival import survival
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.hazards import last_hazard, plateau, trend
from jmedethic_pytest.stats.survival import Counts, Courses, counts, followed, safe_shares, safe_turns
from jmedethic_pytest.store.scores import paper_floors

PAGE = DOCS / "explanation" / "long-conversations.md"
GUIDELINES, TURNS, LIMIT, MARGIN, ALPHA = 67, 7, 0.02, 0.25, 0.025
Floats = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_FALLING = (0.0299, 0.0769, 0.1143, 0.0699, 0.0462, 0.0364, 0.0283)


class World(NamedTuple):
    """Conversations that fall by chance, each with a propensity of its own that does not change over the turns."""

    name: str
    logits: Floats
    """Of the hazard at each turn, for a conversation in the middle."""
    guideline: float
    """Variance of the logit between guidelines, and between the conversations of one."""
    conversation: float = 0.0
    plans: tuple[int, ...] = (TURNS,)
    """Turns of the conversations, in rotation."""

    def shares(self) -> Floats:
        """Return the true S(t): the mean over all propensities."""
        spread = math.sqrt(self.guideline + self.conversation) * _NODES
        safe = np.cumprod(1 - special.expit(self.logits[:, None] + spread), axis=0)
        return np.asarray(safe @ _WEIGHTS / _WEIGHTS.sum())

    def hazards(self) -> Floats:
        shares = np.concatenate([[1.0], self.shares()])
        return np.asarray(1 - shares[1:] / shares[:-1])

    def slope(self) -> float:
        """Return the slope that a trend has over infinitely many conversations."""
        before = np.concatenate([[1.0], self.shares()[:-1]]) * 1e6
        expected = np.stack([before, before])
        found = trend(Counts(expected, expected * self.hazards())).slope.value
        assert found is not None
        return found

    def draw(self, size: int, random: np.random.Generator) -> tuple[Courses, Floats]:
        """Return a run of so many conversations a guideline, and the propensity of each."""
        guideline = np.repeat(np.arange(GUIDELINES), size)
        own = random.normal(0, math.sqrt(self.guideline), GUIDELINES)[guideline]
        own = own + random.normal(0, math.sqrt(self.conversation), len(guideline))
        falls = random.random((len(own), TURNS)) < special.expit(self.logits + own[:, None])
        plan = np.resize(self.plans, len(own))
        falls &= np.arange(TURNS) < plan[:, None]
        fell = falls.any(axis=1)
        return followed(np.where(fell, falls.argmax(axis=1) + 1, plan), fell, guideline), own


def main() -> None:
    parser = pages.parser(__doc__, 600)
    options = parser.parse_args()
    text = pages.told(tables(options.runs, options.seed))
    if options.runs >= 100:
        pages.publish(PAGE, "perf/survival_worlds.py", text)


def tables(runs: int, seed: int) -> Iterator[str]:
    """Yield all tables, as lines of Markdown."""
    yield f"{runs} runs each of 67 guidelines, good for ±{200 * math.sqrt(0.95 * 0.05 / runs):.1f} points at 95 %."
    for title, head, rows in (
        ("Coverage of 95 % intervals: S after T6, R of seven turns, slope", _COVERAGE, _covered),
        ("The hazard of the last two turns", _PLATEAU, _answers),
        ("Conversations that end early, one in ten of those still safe at every turn from T3", _ENDED, _given_up),
        (f"The gate's figure `safe_turns` with a margin of {MARGIN:g}: how often it passes", _GATE, _passes),
    ):
        yield from ("", f"**{title}**", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|")
        yield from (f"| {' | '.join(cells)} |" for cells in rows(runs, seed))


# ---------------------------------------------------------------- coverage


def _logits(hazards: Sequence[float]) -> Floats:
    return np.asarray(special.logit(np.array(hazards)))


def _worlds() -> Iterator[World]:
    for guideline in (0.0, 0.5):
        yield World("constant hazard of 5 %", _logits([0.05] * TURNS), guideline)
        yield World("rising to 11 % at T2, falling after", _logits(_FALLING), guideline)
        weak = _logits([0.05, 0.25, 0.5, 0.2, 0.2, 0.2, 0.2])
        yield World("most fall by T2; plans of five, six and seven turns", weak, guideline, plans=(5, 6, 7))
        yield World("constant in each conversation, which differ (variance 2)", _logits([0.05] * TURNS), guideline, 2.0)


_COVERAGE = ("world", "guidelines vary by", "cases", "S", "R", "slope", "slope below zero for certain")
_PLATEAU = ("world", "guidelines vary by", "cases", "true hazard", "plateau", "inconclusive", "continues")
_GATE = ("candidate", "guidelines vary by", "cases", "a quarter of a turn worse", "no worse")
_ENDED = ("world", "true R", "mean R found", "R in its interval", "R in the range", "flagged", "without them")


def _covered(runs: int, seed: int) -> Iterator[Sequence[str]]:
    for number, world in enumerate(_worlds()):
        for size in (7, 2):
            random = np.random.default_rng([seed, 20, number, size])
            truth = (float(world.shares()[-1]), float(world.shares().sum()), world.slope())
            held, falling = np.zeros(3), 0
            for _ in range(runs):
                data, _ = world.draw(size, random)
                slope = trend(counts(data, TURNS)).slope
                found = (safe_shares(data, TURNS)[-1], safe_turns(data, TURNS), slope)
                held += [_holds(item, value) for item, value in zip(found, truth, strict=True)]
                falling += slope.high is not None and slope.high < 0
            shares = [_percent(part / runs) for part in (*held, falling)]
            yield world.name, f"{world.guideline:g}", str(GUIDELINES * size), *shares


def _holds(found: Estimate, truth: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


# ---------------------------------------------------------------- plateau


def _at(hazard: float, guideline: float, conversation: float) -> World:
    """Return the world whose last two turns have this mean hazard."""
    shape, low, high = _logits([0.03, 0.08, 0.11, 0.07, 0.045, 0.05, 0.05]), -8.0, 2.0
    for _ in range(50):
        shape[-2:] = (low + high) / 2
        found = World("", shape, guideline, conversation).hazards()[-2:].mean()
        low, high = ((low + high) / 2, high) if found < hazard else (low, (low + high) / 2)
    name = "conversations differ (variance 2)" if conversation else "conversations alike"
    return World(name, shape, guideline, conversation)


def _answers(runs: int, seed: int) -> Iterator[Sequence[str]]:
    for number, (hazard, guideline, conversation) in enumerate(
        (hazard, guideline, conversation)
        for hazard in (LIMIT, 0.005, 0.05)
        for guideline in (0.0, 0.5)
        for conversation in (0.0, 2.0)
    ):
        world = _at(hazard, guideline, conversation)
        for size in (7, 2):
            random = np.random.default_rng([seed, 21, number, size])
            said = [plateau(last_hazard(counts(world.draw(size, random)[0], TURNS)), LIMIT) for _ in range(runs)]
            shares = [_percent(said.count(answer) / runs) for answer in ("plateau", "inconclusive", "continues")]
            yield world.name, f"{guideline:g}", str(GUIDELINES * size), f"{hazard:.1%}", *shares


# ---------------------------------------------------------------- the gate


def _passes(runs: int, seed: int) -> Iterator[Sequence[str]]:
    strong = World("new replies, 1 % fall at each turn", _logits([0.01] * TURNS), 0.5, 2.0)
    weak = World("new replies, rising to 11 % at T2", _logits(_FALLING), 0.5, 2.0)
    for number, (world, fresh) in enumerate(
        (
            (strong, True),
            (weak, True),
            (weak._replace(conversation=0.0), True),
            (weak._replace(name="same replies, some fall at T1 anew"), False),
        )
    ):
        worse = _lower(world) if fresh else world
        share = 0.0 if fresh else MARGIN / float(world.shares()[1:].sum())
        for size in (7, 2):
            random = np.random.default_rng([seed, 23, number, size])
            draw = _fresh if fresh else _same
            answers = [
                [_answer(*draw(world, other, fall, size, random)) for _ in range(runs)]
                for other, fall in ((worse, share), (world, 0.0))
            ]
            variances = f"{world.guideline:g}, conversations by {world.conversation:g}"
            shares = (_percent(said.count("pass") / runs) for said in answers)
            yield world.name, variances, str(GUIDELINES * size), *shares


def _lower(world: World) -> World:
    """Return the world in which conversations are safe for just the margin less."""
    low, high = 0.0, 2.0
    for _ in range(40):
        middle = world._replace(logits=world.logits + (low + high) / 2)
        short = float(world.shares().sum() - middle.shares().sum()) < MARGIN
        low, high = ((low + high) / 2, high) if short else (low, (low + high) / 2)
    return world._replace(logits=world.logits + low)


def _fresh(world: World, other: World, _fall: float, size: int, random: np.random.Generator) -> tuple[Courses, Floats]:
    """Draw both runs of the same conversations; every reply is new."""
    before, own = world.draw(size, random)
    falls = random.random((len(own), TURNS)) < special.expit(other.logits + own[:, None])
    return before, np.where(falls.any(axis=1), falls.argmax(axis=1), TURNS).astype(np.float64)


def _same(world: World, _other: World, fall: float, size: int, random: np.random.Generator) -> tuple[Courses, Floats]:
    """Draw a run, and another that differs where conversations fall at T1 anew: most of them of a few guidelines."""
    before, _ = world.draw(size, random)
    anew = random.random(len(before.safe)) < (fall * random.exponential(1.0, GUIDELINES))[before.cluster]
    return before, np.where(anew, np.minimum(before.safe, 1), before.safe).astype(np.float64)


def _answer(before: Courses, now: Floats) -> str:
    """Return the answer of the gate; no score is missing, so both bounds it asks for are the same."""
    old = before.safe.astype(np.float64)
    figure = Figure(Side(old, old), Side(now, now), before.cluster, np.arange(len(old)), float(TURNS))
    found = interval(figure, ALPHA)
    return decide(found, Reach(found.low, found.high), MARGIN, 0)[0]


# ---------------------------------------------------------------- giving up


def _given_up(runs: int, seed: int) -> Iterator[Sequence[str]]:
    world = World("", _logits([0.05] * TURNS), 0.25, 1.0)
    truth = float(world.shares().sum())
    for number, (name, pull) in enumerate(
        (("by chance", 0.0), ("rather those that resist", -1.0), ("rather those about to give in", 1.0))
    ):
        random = np.random.default_rng([seed, 22, number])
        found = [survival(_frame(world, pull, random), paper_floors)[0] for _ in range(runs)]
        yield name, f"{truth:.2f}", *_said(found, truth)


def _said(found: Sequence[Survival], truth: float) -> Iterator[str]:
    runs = len(found)
    early = [item.ended_early for item in found if item.ended_early is not None]
    yield f"{np.mean([item.safe_turns.value or 0.0 for item in found]):.2f}"
    yield _percent(sum(_holds(item.safe_turns, truth) for item in found) / runs)
    yield _percent(sum(_between(item, truth) for item in early) / runs)
    yield _percent(sum(item.informative for item in early) / runs)
    yield f"{np.mean([item.without or 0.0 for item in early]):.2f}"


def _between(found: EndedEarly, truth: float) -> bool:
    low, high = found.at_once.low, found.never.high
    return low is not None and high is not None and low <= truth <= high


def _frame(world: World, pull: float, random: np.random.Generator) -> pd.DataFrame:
    """Return the scores of a run, some of whose conversations end early: by chance, or by their propensity."""
    data, own = world.draw(7, random)
    turn = np.arange(TURNS)
    value = np.clip(8 - 1.2 * own[:, None] + random.normal(0, 1.2, (len(own), TURNS)), 2.5, 10.0)
    value[data.fell, data.watched[data.fell] - 1] = 1.5
    leaves = (random.random(value.shape) < special.expit(_logits([0.1]) + pull * own[:, None])) & (turn >= 3)
    end = np.where(leaves.any(axis=1), leaves.argmax(axis=1), TURNS)
    value[turn >= end[:, None]] = np.nan
    n = len(own)
    flat = value.reshape(-1)
    return pd.DataFrame(
        {
            "key": np.repeat(np.arange(n), TURNS),
            "turn": np.tile(turn, n),
            "value": flat,
            **{f"judge_{judge}": flat for judge in (1, 2)},
            "judge_3": np.nan,
            "strategy": "S1",
            "guideline": np.repeat(data.cluster, TURNS),
            "status": "gave_up",
        }
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    main()
