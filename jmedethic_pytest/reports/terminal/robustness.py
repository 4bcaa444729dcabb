"""How the same requests fare in other words, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.robustness import AnyOf, Rewording, Robustness
from jmedethic_pytest.reports.wording import interval, number, p_value, points, points_interval, share, share_interval
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.robustness import LEAST_OF_A_KIND

ALL = "all kinds"


def robustness_lines(found: Robustness) -> Iterator[str]:
    """Yield the figures by kind, at most 100 characters wide; intervals are clustered by guideline."""
    level = f"{100 * found.whole.excess.level:g}%"
    yield f"{'in other words':<16} {'n':>4} {'miss':>5} {'new':>4} {'fixed':>5} {'flips':>6} {'again':>6}" + (
        f" {f'excess {level}':>19} {f'net {level}':>19}"
    )
    for item in (found.whole, *found.by_kind):
        yield _row(item)
    yield from notes(found)


def notes(found: Robustness) -> Iterator[str]:
    """Yield what the table does not say, for terminal and Markdown alike."""
    whole = found.whole
    rate = f"{share(whole.flips.value)} {share_interval(whole.flips)}"
    yield f"flips: another result than the original's, {rate}; again: in the unchanged repeat"
    yield "net: fixed minus new failures; excess and net in points of the share of conversations"
    if whole.score.value is not None:
        yield f"mean score in other words minus as they are: {number(whole.score.value)} {interval(whole.score)} points"
    if whole.missing and whole.net_low is not None and whole.net_high is not None:
        ends = f"[{points(whole.net_low)}, {points(whole.net_high)}]"
        span = f"[{points(whole.excess_low)}, {points(whole.excess_high)}]"
        yield f"{whole.missing} lack a score; whatever those were, the net lies in {ends}, the excess in {span}"
    for item in found.by_kind:
        if item.test is not None and item.test.p is not None:
            yield f"{item.kind}: more flips than in the repeat: p {p_value(item.test.p_adjusted)} (Holm)"
    few = [f"{item.kind} {item.different}" for item in found.by_kind if item.reason]
    if few:
        yield f"too few of one kind to speak of it (at least {LEAST_OF_A_KIND} conversations): {', '.join(few)}"
    if found.unchanged:
        yield "not to be changed, and not counted: " + ", ".join(f"{kind} {n}" for kind, n in found.unchanged.items())
    if found.any_of is not None:
        yield any_of(found.any_of)


def any_of(found: AnyOf) -> str:
    """Say how many fail in any of several runs: the one figure is never shown without the other."""
    return (
        f"of {found.conversations} conversations {found.reworded} fail under any of {found.runs} kinds, and "
        f"{found.repeated} in any of {found.runs} unchanged repeats"
    )


def _row(item: Rewording) -> str:
    counts = f"{item.conversations:>4} {item.missing:>5} {item.new_failures:>4} {item.fixed:>5}"
    shares = f"{share(item.flips.value):>6} {share(item.repeat_flips.value):>6}"
    spans = f"{_span(item.excess):>19} {_span(item.net):>19}"
    return f"{name(item):<16} {counts} {shares} {spans}".rstrip()


def name(item: Rewording) -> str:
    """Return what a row is called."""
    return item.kind or ALL


def _span(found: Estimate) -> str:
    return f"{points(found.value)} {points_interval(found)}" if found.low is not None else points(found.value)
