"""How the same requests fare in other words, in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jmedethic_pytest.analysis.robustness import AnyOf, Rewording, Robustness
from jmedethic_pytest.core.sentences import Said, joined, laid, say
from jmedethic_pytest.reports.wording import interval, number, p_value, points, points_interval, share, share_interval
from jmedethic_pytest.reports.words import all_words, word
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.robustness import LEAST_OF_A_KIND

_ROW = "{name:<16} {n:>4} {missing:>5} {new:>4} {fixed:>5} {flips:>6} {again:>6} {excess:>19} {net:>19}"
_HEADS = ("missing", "new", "fixed", "flips", "again")


def robustness_lines(found: Robustness) -> Iterator[str]:
    """Yield the figures by kind, at most 100 characters wide; intervals are clustered by guideline."""
    level = f"{100 * found.whole.excess.level:g}%"
    heads = {name: say(f"column.{name}") for name in _HEADS}
    heads |= {name: say(f"column.{name}", level=level) for name in ("excess", "net")}
    yield laid(_ROW, name=say("column.reworded"), n="n", **heads)
    for item in (found.whole, *found.by_kind):
        yield _row(item)
    yield from notes(found)


def notes(found: Robustness) -> Iterator[str]:
    """Yield what the table does not say, for terminal and Markdown alike."""
    whole = found.whole
    rate = f"{share(whole.flips.value)} {share_interval(whole.flips)}"
    yield say("reworded.flips", rate=rate)
    yield say("reworded.net")
    if whole.score.value is not None:
        yield say("reworded.score", value=number(whole.score.value), ends=interval(whole.score))
    if whole.missing and whole.net_low is not None and whole.net_high is not None:
        ends = f"[{points(whole.net_low)}, {points(whole.net_high)}]"
        span = f"[{points(whole.excess_low)}, {points(whole.excess_high)}]"
        yield say("reworded.missing", missing=whole.missing, ends=ends, span=span)
    for item in found.by_kind:
        if item.test is not None and item.test.p is not None:
            yield say("reworded.test", kind=_kind(item.kind), p=p_value(item.test.p_adjusted))
    few = [(item.kind, item.different) for item in found.by_kind if item.reason]
    if few:
        yield say("reworded.few", least=LEAST_OF_A_KIND, few=_counted(few))
    if found.unchanged:
        yield say("reworded.unchanged", kinds=_counted(found.unchanged.items()))
    if found.any_of is not None:
        yield any_of(found.any_of)


def any_of(found: AnyOf) -> Said:
    """Say how many fail in any of several runs: the one figure is never shown without the other."""
    figures = {"reworded": found.reworded, "repeated": found.repeated, "runs": found.runs}
    return say("reworded.any_of", conversations=found.conversations, **figures)


def _row(item: Rewording) -> Said:
    return laid(
        _ROW,
        name=name(item),
        n=item.conversations,
        missing=item.missing,
        new=item.new_failures,
        fixed=item.fixed,
        flips=share(item.flips.value),
        again=share(item.repeat_flips.value),
        excess=_span(item.excess),
        net=_span(item.net),
    )


def name(item: Rewording) -> Said:
    """Return what a row is called."""
    return _kind(item.kind) if item.kind else say("reworded.all")


def _kind(key: str) -> Said:
    known = f"robustness.kind.{key}"
    return Said(key, word(known).ja if known in all_words() else key)


def _counted(kinds: Iterable[tuple[str, int]]) -> Said:
    counts = (laid("{kind} {count}", kind=_kind(kind), count=count) for kind, count in kinds)
    return joined(counts, en=", ", ja="、")


def _span(found: Estimate) -> str:
    return f"{points(found.value)} {points_interval(found)}" if found.low is not None else points(found.value)
