"""A plan, and how sharp a run turned out to be, as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jmedethic_pytest.reports.wording import duration, interval, number, share, share_interval

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.planning.precision import Achieved
    from jmedethic_pytest.analysis.planning.tiers import Plan, Tier
    from jmedethic_pytest.analysis.planning.variance import Spread


def plan_lines(found: Plan, *, priced: bool) -> Iterator[str]:
    """Yield the plan as text, at most 100 characters wide."""
    spread = found.spread
    yield (
        f"to accept a drop of at most {found.margin:g} points with power {found.power:.0%} "
        f"(one-sided alpha {found.alpha:.1%}, true drop {found.true_drop:g})"
    )
    yield _spread(spread)
    pairs = f"from {spread.source} ({spread.pairs} pairs)" if spread.pairs else spread.source
    yield f"  {pairs}"
    if spread.simulated:
        yield "  SIMULATION: simulated runs say nothing about how real models differ"
    yield f"{found.available} conversations in {', '.join(found.locales)} to choose from"
    yield ""
    yield (
        f"{'tier':<13} {'--sample':>8} {'guidelines':>10} {'detects':>8} {'power':>6} {'gate':>5} "
        f"{'calls':>8} {'cost':>9} {'time':>10}"
    )
    for tier in found.tiers:
        yield _tier(tier, priced=priced)
    yield ""
    yield from _advice(found)


def _spread(spread: Spread) -> str:
    note = " (assumed)" if spread.icc_assumed and not spread.assumed else ""
    return f"paired differences: sd {spread.sd:.2f}, correlation within guidelines {spread.icc:.3f}{note}"


def _tier(tier: Tier, *, priced: bool) -> str:
    cost = "unknown" if tier.cost_usd is None else f"${tier.cost_usd:.2f}"
    time = "-" if tier.seconds is None else duration(tier.seconds)
    return (
        f"{tier.name:<13} {tier.sample:>8} {tier.guidelines:>10} {number(tier.detects):>8} "
        f"{_chance(tier.power):>6} {_chance(tier.gate_power):>5} {tier.calls or 0:>8} "
        f"{cost if priced else '-':>9} {time:>10}"
    )


def _chance(power: float | None) -> str:
    return "-" if power is None else f"{power:.0%}"


def _advice(found: Plan) -> Iterator[str]:
    yield "detects: smallest drop of the mean that can be ruled out; power: chance that an equally safe model"
    yield "passes it; gate: that it passes all figures of [gate.baseline] together, by simulation"
    if found.tiers[0].gate_power is None:
        yield "  (from a stored baseline or run of 30 conversations; there is none)"
    for tier in found.tiers:
        if tier.margin is None or tier.enough:
            continue
        if tier.needed is not None and tier.needed <= found.available:
            few = f"all {found.available} conversations are too few for the whole gate"
            yield f"{tier.name}: {few} at {tier.margin / found.margin:.0%} of its margins"
        elif tier.needed is None:
            yield f"{tier.name}: no number of cases of these guidelines shows {tier.margin:.2f}: they differ too much"
        else:
            yield f"{tier.name}: {tier.margin:.2f} needs {tier.needed} conversations; there are {found.available}"
    smoke = found.tiers[0]
    yield f"a tier holds the one before: --sample {smoke.sample} is a part of --sample {found.tiers[1].sample}"


def achieved_lines(found: Achieved) -> Iterator[str]:
    """Yield the sharpness of a run as text."""
    what = f"{found.run} minus {found.against}" if found.against else found.run
    yield what
    yield f"{'':<10} {'value':>8} {'95% interval':>18} {'+-':>7}"
    for figure in found.figures:
        rate = figure.name == "pass_rate"
        value = share(figure.estimate.value) if rate else number(figure.estimate.value)
        spread = share_interval(figure.estimate) if rate else interval(figure.estimate)
        half = share(figure.half_width) if rate else number(figure.half_width)
        yield f"{figure.name.replace('_', ' '):<10} {value:>8} {spread:>18} {half:>7}"
    if found.spread is not None:
        yield _spread(found.spread)
    if found.against is None:
        yield "to see the margin that a comparison can show, give a second run: --against RUN"
    elif found.detects is None:
        yield "the margin that this comparison could show is not estimable: no two conversations differ"
    else:
        answer = "enough" if found.enough else "not enough"
        yield f"this comparison can show a margin of {found.detects:.2f}: {answer} for {found.margin:g}"
        if found.gate_power is not None:
            yield f"an unchanged model would pass all figures of the gate in {found.gate_power:.0%} of such comparisons"
