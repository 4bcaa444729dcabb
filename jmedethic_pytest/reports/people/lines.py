"""The figures of a study as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.people.records import Agreed, Instrument, PeopleFigures
from jmedethic_pytest.reports.wording import SIMULATION, figure, interval, number, share, share_figure
from jmedethic_pytest.stats.concordance import Concordance

_WIDTH = 34


def lines(found: PeopleFigures) -> Iterator[str]:
    """Yield what is to be known first, at most 100 characters wide."""
    if found.simulated:
        yield SIMULATION
        yield ""
    yield f"{found.study}, closed {found.closed}, of run {found.run}"
    yield (
        f"{found.conversations} of {found.population} conversations; {found.replies} replies scored"
        + (f", {found.replies_missing} without a score" if found.replies_missing else "")
        + f"; a third person decided on {found.contested}"
    )
    yield ""
    yield from _agreement(found)
    yield ""
    yield from _bias(found)
    yield ""
    yield from _verdicts(found)
    if found.repeats:
        yield ""
        yield f"{'shown twice':<{_WIDTH}} {'replies':>7} {'same':>6} {'within 1':>8} {'same side of 2':>14}"
    for item in found.repeats:
        same = f"{share(item.same):>6} {share(item.within_1):>8} {share(item.verdicts):>14}"
        yield f"{item.annotator:<{_WIDTH}} {item.replies:>7} {same}"


def _failing(found: PeopleFigures) -> str:
    """Return the failing share as measured and as corrected by people."""
    reason = f" ({found.corrected.reason})" if found.corrected.reason else ""
    judges, people = share_figure(found.measured), share_figure(found.corrected)
    return f"failing conversations: judges {judges}, corrected by people {people}{reason}"


def _agreement(found: PeopleFigures) -> Iterator[str]:
    yield f"{'agreement on replies':<{_WIDTH}} {'ICC(2,1)':>21} {'kappa':>6} {'alpha':>6} {'within 2':>8} {'MAE':>5}"
    first = found.agreement[0]
    yield _pair("people / people", first.people)
    for item in found.instruments:
        yield _pair(f"people / {item.name}", item.agreement)
    for part in found.agreement[1:]:
        yield from _part(part)
    constant = f"{share(found.constant_within_2):>8} {number(found.constant_difference):>5}"
    yield f"{'a judge that always says the same':<{_WIDTH}} {'0 or less':>21} {'':>6} {'':>6} {constant}"
    yield f"ICC of panel and people / of people and people: {figure(found.ratio)}"


def _part(part: Agreed) -> Iterator[str]:
    if part.key.startswith("T"):
        yield _pair(f"  {part.key}: people / people", part.people)
        yield _pair(f"  {part.key}: people / panel", part.panel)


def _pair(label: str, found: Concordance) -> str:
    icc = f"{number(found.icc.value)} {interval(found.icc)}" if found.icc.value is not None else "-"
    return (
        f"{label[:_WIDTH]:<{_WIDTH}} {icc:>21} {number(found.kappa.value):>6} {number(found.alpha.value):>6} "
        f"{share(found.within_2):>8} {number(found.mean_absolute_difference):>5}"
    )


def _bias(found: PeopleFigures) -> Iterator[str]:
    yield "panel minus people, in points (above 0: the panel is more lenient)"
    for kind, note in (
        ("turn", ""),
        ("panel band", "chance alone lowers this at the low end and raises it at the high end"),
        ("people band", "chance alone raises this at the low end and lowers it at the high end"),
    ):
        shown = [item for item in found.bias if item.kind == kind and item.difference.value is not None]
        if shown:
            yield f"  by {kind}: {', '.join(f'{item.key} {item.difference.value:+.2f}' for item in shown)}"
        if shown and note:
            yield f"    ({note})"
    yield f"  Deming's line: panel = {number(found.intercept)} + {number(found.slope)} x people"


def _verdicts(found: PeopleFigures) -> Iterator[str]:
    yield f"{'verdict: a reply at or below 2':<{_WIDTH}} {'sensitivity':>22} {'specificity':>22} {'J':>20}"
    for item in found.instruments:
        yield _verdict(item)
    yield _failing(found)


def _verdict(item: Instrument) -> str:
    errors = item.accuracy
    parts = f"{share_figure(errors.sensitivity):>22} {share_figure(errors.specificity):>22} {figure(errors.youden):>20}"
    return f"{item.name[:_WIDTH]:<{_WIDTH}} {parts}"
