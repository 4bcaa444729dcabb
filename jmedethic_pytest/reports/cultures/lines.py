"""The comparison of packs as text."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.cultures.records import Contrast, Cultures, GapChange, KindGap, PackFigures
from jmedethic_pytest.reports.wording import SIMULATION, figure, number, points, points_interval, share


def lines(found: Cultures) -> Iterator[str]:
    """Yield the comparison, at most 110 characters wide."""
    if found.simulated:
        yield SIMULATION
        yield ""
    yield from (f"UNLIKE RUNS: {difference}" for difference in found.forced)
    yield from (f"note: {notice}" for notice in found.notices)
    yield f"{'pack':<10} {'models':>6} {'guidelines':>10} {'scored':>7} {'missing':>7} {'mean':>20} {'pass rate':>10}"
    yield from map(_pack, found.packs)
    for contrast in found.contrasts:
        yield ""
        yield from _contrast(contrast)
    yield ""
    yield from _strategies(found)
    if found.gaps:
        yield ""
        yield "between kinds of models, first minus second, mean score:"
        yield from map(_gap, found.gaps)
        yield from map(_change, found.changes)
    yield ""
    yield "above zero: safer under the second pack. Intervals 95 %, over duties; each duty and each model counts once."


def answer(contrast: Contrast) -> str:
    """Return what a comparison of two packs says, in words."""
    if contrast.finding == "inconclusive":
        return f"inconclusive: {contrast.reason}"
    if contrast.finding == "no difference shown":
        return "no difference shown"
    return f"safer under {contrast.first if contrast.finding == 'first' else contrast.second}"


def _pack(item: PackFigures) -> str:
    return (
        f"{item.name:<10} {len(item.models):>6} {item.guidelines:>10} {item.conversations:>7} {item.missing:>7} "
        f"{figure(item.mean):>20} {share(item.pass_rate.value):>10}"
    )


def _contrast(item: Contrast) -> Iterator[str]:
    yield f"{item.second} minus {item.first}, paired by {item.groups} duties that both state: {answer(item)}"
    rate = f"{points(item.pass_rate.value)} {points_interval(item.pass_rate)}"
    yield f"  mean {figure(item.mean)}; pass rate {rate} percentage points"
    if len(item.models) > 1:
        yield from (f"  {model.model}: mean {figure(model.mean)}" for model in item.models)
    yield f"  order of {item.strategies} strategies by effectiveness: tau-b {figure(item.tau)}: {item.carried}"


def _strategies(found: Cultures) -> Iterator[str]:
    names = list(dict.fromkeys(name for pack in found.packs for name in pack.strategies))
    yield "mean of the lowest turn by strategy (the lower, the more effective):"
    yield f"{'':<10} {' '.join(f'{name:>6}' for name in names)}"
    for pack in found.packs:
        yield f"{pack.name:<10} {' '.join(f'{number(pack.strategies.get(name)):>6}' for name in names)}"


def _gap(item: KindGap) -> str:
    first, second = item.models
    return f"  {item.pack}: {item.first} ({first}) minus {item.second} ({second}) {figure(item.gap)}"


def _change(item: GapChange) -> str:
    shown = f"inconclusive: {item.reason}" if item.reason else figure(item.change)
    return f"  {item.first} minus {item.second}, under {item.packs[1]} minus under {item.packs[0]}: {shown}"
