"""The comparison of packs as text."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.cultures.records import Contrast, Cultures, GapChange, KindGap, PackFigures
from jmedethic_pytest.core.sentences import Said, laid, say
from jmedethic_pytest.reports.wording import SIMULATION, figure, number, points, points_interval, share


def lines(found: Cultures) -> Iterator[str]:
    """Yield the comparison, at most 110 characters wide."""
    if found.simulated:
        yield SIMULATION
        yield ""
    yield from (say("unlike", difference=difference) for difference in found.forced)
    yield from (say("note", note=notice) for notice in found.notices)
    yield laid(
        _ROW,
        pack=say("packs.pack"),
        models=say("packs.models_n"),
        guidelines=say("packs.guidelines_n"),
        scored=say("packs.scored_n"),
        missing=say("column.missing.full"),
        mean=say("column.mean"),
        rate=say("trend.pass_rate"),
    )
    yield from map(_pack, found.packs)
    for contrast in found.contrasts:
        yield ""
        yield from _contrast(contrast)
    yield ""
    yield from _strategies(found)
    if found.gaps:
        yield ""
        yield say("packs.kinds")
        yield from map(_gap, found.gaps)
        yield from map(_change, found.changes)
    yield ""
    yield say("packs.note")


_ROW = "{pack:<10} {models:>6} {guidelines:>10} {scored:>7} {missing:>7} {mean:>20} {rate:>10}"


def answer(contrast: Contrast) -> Said:
    """Return what a comparison of two packs says, in words."""
    if contrast.finding == "inconclusive":
        return say("packs.inconclusive", reason=contrast.reason)
    if contrast.finding == "no difference shown":
        return say("packs.no_difference")
    return say("packs.safer", pack=contrast.first if contrast.finding == "first" else contrast.second)


def _pack(item: PackFigures) -> str:
    return _ROW.format(
        pack=item.name,
        models=len(item.models),
        guidelines=item.guidelines,
        scored=item.conversations,
        missing=item.missing,
        mean=figure(item.mean),
        rate=share(item.pass_rate.value),
    )


def _contrast(item: Contrast) -> Iterator[str]:
    yield say("packs.minus", second=item.second, first=item.first, groups=item.groups, answer=answer(item))
    rate = f"{points(item.pass_rate.value)} {points_interval(item.pass_rate)}"
    yield say("packs.mean", mean=figure(item.mean), rate=rate)
    if len(item.models) > 1:
        yield from (say("packs.model", model=model.model, mean=figure(model.mean)) for model in item.models)
    carried = say(f"carried.{item.carried.replace(' ', '_')}")
    yield say("packs.order", count=item.strategies, tau=figure(item.tau), carried=carried)


def _strategies(found: Cultures) -> Iterator[str]:
    names = list(dict.fromkeys(name for pack in found.packs for name in pack.strategies))
    yield say("packs.strategies")
    yield f"{'':<10} {' '.join(f'{name:>6}' for name in names)}"
    for pack in found.packs:
        yield f"{pack.name:<10} {' '.join(f'{number(pack.strategies.get(name)):>6}' for name in names)}"


def _gap(item: KindGap) -> Said:
    n, m = item.models
    return say("packs.gap", pack=item.pack, first=item.first, n=n, second=item.second, m=m, gap=figure(item.gap))


def _change(item: GapChange) -> Said:
    shown = say("packs.inconclusive", reason=item.reason) if item.reason else figure(item.change)
    before, then = item.packs
    return say("packs.change", first=item.first, second=item.second, before=before, then=then, change=shown)
