"""How often links, anchors and people's marks err: ``python perf/judge_worlds.py [--runs N] [--only WORD] [--quick]``.

Draws replies whose worth is known (worlds.py), has them scored by an old panel, a new one, the same one later, and by
people, and counts what the package's own functions say. Writes the tables of docs/explanation/instruments.md, unless
``--quick`` or only some are asked for.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import joint_gate
import numpy as np
import pages
from calibration import FINE_TUNE
from gate_worlds import GOOD, sheet
from pages import DOCS
from worlds import GUIDELINES, Floats, World, figures, judge, replies, simulate, true_drops

from jmedethic_pytest.analysis.imputation import Side
from jmedethic_pytest.analysis.noninferiority.bounds import interval
from jmedethic_pytest.analysis.noninferiority.drift import drift
from jmedethic_pytest.analysis.noninferiority.pairs import Figure, Pairs
from jmedethic_pytest.annotation.sampling import places
from jmedethic_pytest.stats import link_rules, linking
from jmedethic_pytest.stats.bands import BANDS, band, spread, stands_for
from jmedethic_pytest.stats.drift import Shift, chart, corrected, shift, steadiness
from jmedethic_pytest.stats.validation import mover, two_phase
from jmedethic_pytest.stats.validation_errors import accuracy, rogan_gladen

PAGE = DOCS / "explanation" / "instruments.md"
Random = np.random.Generator
STEADY = FINE_TUNE._replace(odd=0.05)
NOISY, CAREFUL = STEADY._replace(noise=1.0, odd=0.18), STEADY._replace(noise=0.5, odd=0.0)
GROUPS = np.repeat(np.arange(GUIDELINES), 7)


def main() -> None:
    parser = pages.parser(__doc__, 200)
    parser.add_argument("--only", default="", help="only tables whose name holds this: " + ", ".join(TABLES))
    parser.add_argument("--quick", action="store_true", help="three runs, to try it out; writes no page")
    options = parser.parse_args()
    runs, rows = 3 if options.quick else options.runs, []
    begun = time.monotonic()
    for number, (name, table) in enumerate(TABLES.items()):
        if options.only in name:
            rows += [*table(runs, np.random.default_rng([options.seed, 20, number])), ""]
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    text = "\n".join([f"{runs} simulated runs of each kind, seed {options.seed}.", "", *rows])
    print(text)
    if not options.only and not options.quick:
        pages.publish(PAGE, "perf/judge_worlds.py", text.rstrip("\n"))


# ---------------------------------------------------------------------- links


class Panel(NamedTuple):
    """A new panel: what it makes of what replies are worth, and how it errs."""

    name: str
    sees: Callable[[Floats, Random], Floats]
    """Of replies models x cases x turns, the worth that the panel sees."""
    noise: World


def _one_favoured(worth: Floats, _random: Random) -> Floats:
    return worth + np.array([0.0, 0.0, 1.2])[: len(worth), None, None, None]


def _other_order(worth: Floats, random: Random) -> Floats:
    other = random.permutation(worth.reshape(-1)).reshape(worth.shape)
    return np.where(random.random(worth.shape) < 0.4, other, worth)


PANELS = (
    Panel("wider scale (1.15)", lambda worth, _: 7 + 1.15 * (worth - 7), NOISY),
    Panel("0.4 more lenient", lambda worth, _: worth + 0.4, NOISY),
    Panel("0.4 more lenient, far less noise", lambda worth, _: worth + 0.4, CAREFUL),
    Panel("a point stricter between 3 and 7", lambda w, _: np.where((w > 3) & (w < 7), w - 1, w), NOISY),
    Panel("orders two replies in five otherwise", _other_order, NOISY),
    Panel("favours one model by 1.2", _one_favoured, NOISY),
)
LEVELS = (0.35, 0.5, 0.65)
"""Models of the pool, in standard deviations of the latent scale: 0.3 to 0.4 points from each other."""
FLOORS = (8.0, 6.5, 6.0, 5.5)


def links(runs: int, random: Random) -> Iterator[str]:
    """Links of three models by conversations, and how far they lie from the truth for each model of the pool."""
    yield "| new panel | conversations | error of the line | bias: worse, middle, better model | covered | refused |"
    yield "|---|---:|---:|---|---:|---:|"
    for panel in PANELS:
        truth = _true_means(panel, random, 4_000 if runs < 10 else 30_000)
        for size in (60, 120, 240):
            found = [_link(panel, size, random, truth) for _ in range(runs)]
            errors, gaps, covered = (np.array([item[place] for item in found]) for place in range(3))
            bias = " / ".join(f"{gap:+.2f}" for gap in gaps.mean(axis=0))
            refused = np.mean([item[3] for item in found])
            yield (f"| {panel.name} | {size} | {errors.mean():.3f} | {bias} | {covered.mean():.1%} | {refused:.0%} |")


def _panels(panel: Panel, size: int, random: Random) -> tuple[Floats, Floats]:
    """Return scores of both panels: models x judges x cases x turns."""
    worth = np.stack([replies(1, size, level, random)[0] for level in LEVELS])
    seen = panel.sees(worth, random)
    sides = ((worth, NOISY), (seen, panel.noise))
    old, new = (np.stack([judge(part, world, random) for _ in range(2)], axis=1) for part, world in sides)
    return tuple(side.reshape(len(LEVELS), 2, -1, 3) for side in (old, new))  # type: ignore[return-value]


def _true_means(panel: Panel, random: Random, cases: int) -> tuple[Floats, Floats]:
    old, new = _panels(panel, cases // GUIDELINES, random)
    return old.mean(axis=(1, 2, 3)), new.mean(axis=(1, 2, 3))


def _link(panel: Panel, size: int, random: Random, truth: tuple[Floats, Floats]) -> tuple[float, Floats, Floats, bool]:
    """Draw a pool of 1,407 conversations, link a sample of it, and hold it against the truth."""
    old, new = _panels(panel, 7, random)
    lowest = old.mean(axis=1).min(axis=-1).reshape(-1)
    bands, guideline = band(lowest), np.tile(GROUPS, len(LEVELS))
    model = np.repeat(np.arange(len(LEVELS)), len(GROUPS))
    chosen = spread([bands.tolist(), list(zip(bands, guideline, strict=True)), model.tolist()], size, 0)
    drawn = np.isin(np.arange(len(bands)), chosen)
    weight = stands_for(bands, drawn)[drawn]
    x, y = (side.transpose(1, 0, 2, 3).reshape(2, -1, 3)[:, drawn] for side in (old, new))
    codes = np.unique(guideline[drawn], return_inverse=True)[1]
    each = (np.repeat(column, 3) for column in (weight, codes, model[drawn]))
    turns = linking.Turns(x.mean(axis=0).reshape(-1), y.mean(axis=0).reshape(-1), *each)
    found = linking.moments(turns)
    assert found is not None
    errors = linking.spread(turns, resamples=400).errors
    counts = [3 * int((bands[drawn] == number).sum()) for number in range(BANDS)]
    related = link_rules.correlation(turns, x.reshape(2, -1), y.reshape(2, -1))
    curve = linking.equipercentile(linking.GRID, turns)
    refused = [
        *link_rules.of_sample(size, counts, related, linking.invariance(turns)),
        *link_rules.at_floors(found, errors, curve, FLOORS),
    ]
    error = np.interp(truth[1], linking.GRID, errors)
    gap = found.to_old(truth[1]) - truth[0]
    return float(error[1]), gap, np.abs(gap) <= 1.9966 * error, bool(refused)


# -------------------------------------------------------------------- anchors


def anchors(runs: int, random: Random) -> Iterator[str]:
    """What judges who moved are called, and what passes against a baseline at exactly the margin."""
    checks, pairs = 5 * runs, 10 * runs
    yield f"{checks:,} checks each:"
    yield ""
    yield "| drift | turns | stable | unclear | moved |"
    yield "|---:|---:|---:|---:|---:|"
    for moved in (0.0, 0.05, 0.1, 0.2):
        for turns in (120, 402):
            answers = Counter(steadiness(_shift(moved, turns, random), _NO_SHARE) for _ in range(checks))
            shares = [f"{answers[word] / checks:.1%}" for word in ("stable", "unclear", "moved")]
            yield f"| {moved:g} | {turns} | {' | '.join(shares)} |"
    yield ""
    yield f"{pairs:,} pairs of runs each, the candidate worse by exactly the margin:"
    yield ""
    yield "| drift | passes uncorrected | passes corrected |"
    yield "|---:|---:|---:|"
    margin = true_drops(FINE_TUNE, 100_000 if runs < 10 else 3_000_000, random)["mean"]
    for moved in (0.0, 0.05, 0.1, 0.2):
        plain, better = np.mean([_passes(moved, margin, random) for _ in range(pairs)], axis=0)
        yield f"| {moved:g} | {plain:.1%} | {better:.1%} |"
    yield ""
    yield "| drift in standard errors | checks until the chart signals |"
    yield "|---:|---:|"
    for moved, most in ((0.0, 1500), (1.0, 100), (2.0, 50)):
        lengths = [_until(moved, most, random) for _ in range(runs)]
        yield f"| {moved:g} | {np.mean(lengths):.1f} |"


_NO_SHARE = Shift(0.0, 0.0, GUIDELINES - 1.0, GUIDELINES, 402)


def _shift(moved: float, turns: int, random: Random) -> Shift:
    """Draw a check: a retest differs by half a point, turns of a guideline a little alike (design effect 1.3)."""
    guideline = np.arange(turns) % GUIDELINES
    icc = 0.3 / (402 / GUIDELINES - 1)
    common = np.sqrt(icc) * random.normal(size=GUIDELINES)[guideline]
    return shift(moved + 0.5 * (common + np.sqrt(1 - icc) * random.normal(size=turns)), guideline)


def _passes(moved: float, margin: float, random: Random) -> tuple[bool, bool]:
    """Tell whether a candidate that is worse by the margin passes by judges who grew more lenient."""
    pair = simulate(FINE_TUNE, 1, 7, random)
    before, now = (figures(scores)["mean"].reshape(-1) for scores in (pair.baseline, pair.candidate + moved))
    found = interval(Figure(Side(before, before), Side(now, now), GROUPS, np.arange(len(now)), 9.0), 0.025)
    known = _shift(moved, 402, random)
    lows = found.low, corrected(found, known).low
    return tuple(low is not None and low > -margin for low in lows)  # type: ignore[return-value]


def _until(moved: float, most: int, random: Random) -> int:
    points = chart((moved + random.normal(size=most)).tolist())
    return next((number for number, point in enumerate(points, start=1) if point.signals), most)


# ------------------------------------------------------ judges moving apart


def apart(runs: int, random: Random) -> Iterator[str]:
    """Whether a run sees that one of its judges moved since the baseline, without anchors."""
    yield "| one judge moves by | new replies: seen | same replies: seen |"
    yield "|---:|---:|---:|"
    for moved in (0.0, 0.2, 0.3, 0.4, 0.5):
        seen = [np.mean([_seen(moved, fresh, random) for _ in range(max(1, runs // 2))]) for fresh in (True, False)]
        yield f"| {moved:g} | {seen[0]:.0%} | {seen[1]:.0%} |"


def _seen(moved: float, fresh: bool, random: Random) -> bool:
    chances = joint_gate.case_chances(GOOD.breaks, random)
    worth = joint_gate.replies(chances, 0.0, random)
    again = joint_gate.replies(chances, 0.0, random) if fresh else worth
    before, now = joint_gate.judged(worth, random), joint_gate.judged(again, random)
    now[1] = np.clip(now[1] + moved, 1, 10)
    sides = [sheet(scores, GROUPS) for scores in (before, now)]
    alone = {f"j{number}": Pairs(*sides, joint_gate.RULES, number) for number in range(2)}
    return bool(list(drift(alone)))


# --------------------------------------------------------------------- people


class Study(NamedTuple):
    """A run of which people marked a hundred conversations."""

    name: str
    better: float
    noise: World
    hidden: int = 0
    """Jailbreaks that the judges score as safest."""
    blind: bool = False
    """Whether judges see no jailbreak under one strategy of seven."""
    careless: float = 0.0
    """Chance of each person to miss a jailbreak; two of three decide."""


STUDIES = (
    Study("good judges, 9 % fail", 1.12, CAREFUL),
    Study("noisy judges, 23 % fail", 0.55, NOISY),
    Study("good judges, 1 hidden jailbreak", 1.12, CAREFUL, hidden=1),
    Study("good judges, 3 hidden", 1.12, CAREFUL, hidden=3),
    Study("judges blind to one strategy", 1.12, CAREFUL, blind=True),
    Study("people who miss one in ten", 0.55, NOISY, careless=0.1),
)


def people(runs: int, random: Random) -> Iterator[str]:
    """How often intervals from a hundred marked conversations hold the failing share of the 469."""
    yield "| study | true share | judges say | corrected | covered: the wider | MOVER alone | a later run |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for study in STUDIES:
        found = np.array([_study(study, random) for _ in range(runs)], dtype=np.float64)
        truth, judged, value, wider, own = np.nanmean(found[:, :5], axis=0)
        later = found[:, 5][~np.isnan(found[:, 5])]
        shown = f"{later.mean():.1%} ({1 - len(later) / runs:.0%} refused)" if len(later) else "all refused"
        yield f"| {study.name} | {truth:.1%} | {judged:.1%} | {value:.1%} | {wider:.1%} | {own:.1%} | {shown} |"


def _study(study: Study, random: Random) -> list[float]:
    """Return true share, judged share, corrected share, and whether each interval holds the truth."""
    lowest, jailbreak = _conversations(study, random)
    bands, marks = band(lowest), np.full(len(lowest), np.nan)
    counts = np.bincount(bands, minlength=BANDS)
    for number, wanted in enumerate(places(counts.tolist(), 100)):
        inside = np.flatnonzero(bands == number)
        chosen = inside[spread([GROUPS[inside].tolist(), (inside % 7).tolist()], wanted, int(random.integers(2**31)))]
        missed = random.random((3, len(chosen))) < study.careless
        marks[chosen] = (jailbreak[chosen] & ~missed).sum(axis=0) >= 2
    share, judged = float(jailbreak.mean()), float((bands == 0).mean())
    found = two_phase(bands, marks, GROUPS)
    there = [number for number in range(BANDS) if counts[number]]
    marked = [int((~np.isnan(marks[bands == number])).sum()) for number in there]
    jailbreaks = [int(np.nansum(marks[bands == number])) for number in there]
    limits = mover([int(counts[number]) for number in there], marked, jailbreaks)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    errors = accuracy(bands == 0, marks, bands, GROUPS, resamples=20)
    later, true_later = _conversations(study, random)
    other = rogan_gladen(
        float((later <= 2).mean()),
        len(later),
        errors,
        distance=0.0,
        anchors="stable",
        same_judges=True,
        design_effect=1.2,
    )
    held = np.nan if other.low is None or other.high is None else other.low <= true_later.mean() <= other.high
    wider = found.low - 1e-9 <= share <= found.high + 1e-9
    return [share, judged, found.value, wider, limits[0] - 1e-9 <= share <= limits[1] + 1e-9, held]


def _conversations(study: Study, random: Random) -> tuple[Floats, Floats]:
    """Return the panel's lowest score of each conversation, and whether it is a jailbreak."""
    worth = replies(1, 7, study.better, random)[0]
    jailbreak = (worth.min(axis=-1) <= 2).reshape(-1)
    scores = (judge(worth, study.noise, random) + judge(worth, study.noise, random)) / 2
    lowest = scores.min(axis=-1).reshape(-1)
    if study.blind:
        lowest[jailbreak & (np.arange(len(lowest)) % 7 == 4)] = 7.0
    safe = np.flatnonzero(~jailbreak & (lowest > 6))
    jailbreak[random.choice(safe, study.hidden, replace=False)] = True
    return lowest, jailbreak


TABLES: dict[str, Callable[[int, Random], Iterator[str]]] = {
    "links": links,
    "anchors": anchors,
    "apart": apart,
    "people": people,
}

if __name__ == "__main__":
    main()
