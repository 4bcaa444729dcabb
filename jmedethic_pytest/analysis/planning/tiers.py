"""How many cases a comparison needs, in four nested tiers: smoke, pull request, nightly, release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from jmedethic_pytest.analysis.planning.variance import Spread
from jmedethic_pytest.analysis.planning.whole_gate import WholeGate
from jmedethic_pytest.core.labels import Labelled
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.power import achieved_power, detectable_margin

NIGHTLY_PART = 2 / 3
"""Margin of the nightly tier as a part of the pull request's: 0.2 where that is 0.3."""
SPAN = 9.0
"""Largest possible difference of a score: the gate allows for cases of a kind it has not met."""
_MOST = 100_000


class Goal(NamedTuple):
    """What a comparison of two models must be able to show."""

    margin: float
    """Largest drop of the mean score that is still accepted, in points."""
    power: float = 0.8
    """Probability of ``pass`` if the truth is ``true_drop``."""
    alpha: float = 0.025
    """One-sided error rate."""
    true_drop: float = 0.0


TierName = Literal["smoke", "pull request", "nightly", "release"]


class Tier(Record):
    """One nested sample: each tier holds the cases of the one before it."""

    name: TierName
    sample: int
    """Conversations per language: the value of ``--sample`` (with the same seed)."""
    cases: int
    """Evaluations: conversations x languages."""
    guidelines: int
    """Guidelines among them: the clusters of the interval."""
    margin: float | None
    """The margin this tier is made for, ``None`` if it takes what is there."""
    needed: int | None
    """Conversations per language that the margin needs; ``None`` if no number of these guidelines' cases is enough."""
    detects: float | None
    """Smallest margin that these cases can show, ``None`` with fewer than two guidelines."""
    power: float | None
    """Probability that the mean alone passes at the plan's margin."""
    gate_power: float | None = None
    """Probability that every figure of the gate passes, the mean at the plan's margin; ``None`` if no run is stored
    from which others could be simulated."""
    enough: bool
    """Whether the tier can show its margin, with the other figures of the gate if they could be simulated."""
    calls: int | None = None
    """Calls of all models together."""
    cost_usd: float | None = None
    """``None`` without a model, or if a price is unknown."""
    seconds: int | None = None


class Plan(Record):
    """The tiers of a benchmark for one goal."""

    schema_version: Literal[1] = 1
    margin: float
    power: float
    alpha: float
    true_drop: float
    spread: Spread
    available: int
    """Conversations per language that can be chosen from."""
    locales: tuple[str, ...]
    tiers: tuple[Tier, ...]


def plan(cases: Sequence[Labelled], goal: Goal, spread: Spread, gate: WholeGate | None = None) -> Plan:
    """Choose the tiers.

    Args:
        cases: everything that can be chosen, in sampling order: every prefix is a sample.
        goal: what the pull-request tier must show.
        spread: how much two runs differ case by case.
        gate: simulates the whole gate; without it the mean alone is planned for.
    """
    attack_cases = [case for case in cases if case.twin_of is None]
    stems = list(dict.fromkeys(case.stem for case in attack_cases))
    sizes = _sizes(attack_cases, stems)
    everything = len(stems)
    smoke = next(n for n, (_, guidelines) in enumerate(sizes, start=1) if guidelines == sizes[-1][1])
    margins: dict[TierName, float] = {
        "pull request": goal.margin,
        "nightly": goal.true_drop + (goal.margin - goal.true_drop) * NIGHTLY_PART,
    }
    tiers = [_tier("smoke", smoke, None, None, sizes, goal, spread)]
    for name, margin in margins.items():
        needed, sure = _needed(sizes, margin, goal, spread), True
        if gate is not None and needed is not None and needed <= everything:
            needed, sure = _needed_by_gate(gate, attack_cases, max(needed, smoke), everything, margin, goal)
        sample = max(tiers[-1].sample, min(everything, needed or everything))
        tier = _tier(name, sample, margin, needed, sizes, goal, spread)
        tiers.append(tier.model_copy(update={"enough": tier.enough and sure}))
    tiers.append(_tier("release", everything, None, None, sizes, goal, spread))
    if gate is not None:
        tiers = [tier.model_copy(update={"gate_power": _gate_power(gate, attack_cases, tier, goal)}) for tier in tiers]
    return Plan(
        margin=goal.margin,
        power=goal.power,
        alpha=goal.alpha,
        true_drop=goal.true_drop,
        spread=spread,
        available=everything,
        locales=tuple(dict.fromkeys(case.locale for case in attack_cases)),
        tiers=tuple(tiers),
    )


def _sizes(cases: Sequence[Labelled], stems: Sequence[str]) -> list[tuple[int, int]]:
    """Return evaluations and guidelines of the first 1, 2, ... conversations."""
    place = {stem: index for index, stem in enumerate(stems)}
    counts, first = [0] * len(stems), dict[str, int]()
    for case in cases:
        counts[place[case.stem]] += 1
        first.setdefault(case.guideline, place[case.stem])
    new = [0] * len(stems)
    for index in first.values():
        new[index] += 1
    sizes, total, guidelines = [], 0, 0
    for count, more in zip(counts, new, strict=True):
        total, guidelines = total + count, guidelines + more
        sizes.append((total, guidelines))
    return sizes


def _needed(sizes: Sequence[tuple[int, int]], margin: float, goal: Goal, spread: Spread) -> int | None:
    """Return the conversations that show a margin, beyond those there are if need be; the search is a bisection."""

    def enough(sample: int) -> bool:
        found = _detects(_at(sizes, sample), sample, goal, spread)
        return found is not None and found <= margin

    low, high = 1, _MOST
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _gate_power(gate: WholeGate, cases: Sequence[Labelled], tier: Tier, goal: Goal) -> float:
    """Return the power of the whole gate: at most that of the mean, whose spread may be wider than the stored run's."""
    return min(tier.power or 0.0, gate.power(_prefix(cases, tier.sample), goal.alpha, goal.margin))


def _needed_by_gate(
    gate: WholeGate, cases: Sequence[Labelled], least: int, most: int, margin: float, goal: Goal
) -> tuple[int, bool]:
    """Return the conversations with which the whole gate has its power, and whether there are so many."""

    def enough(sample: int) -> bool:
        return gate.power(_prefix(cases, sample), goal.alpha, margin, margin / goal.margin) >= goal.power

    if not enough(most):
        return most, False
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle + 1, most)
    return least, True


def _prefix(cases: Sequence[Labelled], sample: int) -> list[Labelled]:
    kept = set(list(dict.fromkeys(case.stem for case in cases))[:sample])
    return [case for case in cases if case.stem in kept]


def _at(sizes: Sequence[tuple[int, int]], sample: int) -> tuple[int, int]:
    """Return evaluations and guidelines of a sample; beyond the last there are more cases of the same guidelines."""
    if sample <= len(sizes):
        return sizes[sample - 1]
    cases, guidelines = sizes[-1]
    return round(cases * sample / len(sizes)), guidelines


def _detects(size: tuple[int, int], sample: int, goal: Goal, spread: Spread) -> float | None:
    if size[1] < 2:
        return None
    return detectable_margin(size[0], spread.sd, power=goal.power, **_design(size, sample, goal, spread))


def _design(size: tuple[int, int], sample: int, goal: Goal, spread: Spread) -> dict[str, Any]:
    """Return what margin and power are computed from alike."""
    cases, guidelines = size
    return {
        "alpha": goal.alpha,
        "true_drop": goal.true_drop,
        "cluster_size": cases / guidelines,
        "icc": spread.icc,
        "clusters": guidelines,
        "span": SPAN,
        "different": sample,
    }


def _tier(
    name: TierName,
    sample: int,
    margin: float | None,
    needed: int | None,
    sizes: Sequence[tuple[int, int]],
    goal: Goal,
    spread: Spread,
) -> Tier:
    cases, guidelines = sizes[sample - 1]
    power = None
    if guidelines > 1:
        power = achieved_power(cases, goal.margin, spread.sd, **_design(sizes[sample - 1], sample, goal, spread))
    return Tier(
        name=name,
        sample=sample,
        cases=cases,
        guidelines=guidelines,
        margin=margin,
        needed=needed,
        detects=_detects((cases, guidelines), sample, goal, spread),
        power=power,
        enough=margin is None or (needed is not None and needed <= sample),
    )
