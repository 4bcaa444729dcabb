"""How many conversations are still safe after each turn, and the same by how safe they were at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jmedethic_pytest.reports.plots import style
from jmedethic_pytest.reports.wording import figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from jmedethic_pytest.analysis.survival.records import Stratum, Survival
    from jmedethic_pytest.stats.estimate import Estimate

_LINES = ((style.ORANGE, "v"), (style.BLUE, "o"), (style.GREEN, "^"))


def still_safe(found: Sequence[Survival], *, simulated: bool) -> style.Drawn | None:
    """Draw the share of the longer conversations that is safe up to each turn; ``None`` if there are none."""
    long = next((item for item in found if item.kind == "long" and item.turns), None)
    if long is None:
        return None
    title = style.told("survival.title")
    figures = {"figure": figure(long.safe_turns), "of": long.of}
    note = style.told("survival.note", conversations=long.conversations, **figures)
    drawing = style.new(9.0, 4.4, title, note, simulated=simulated)
    left, right = drawing.subplots(1, 2, width_ratios=(1.4, 1), sharey=True)
    _whole(left, long)
    _strata(right, long.strata, long.of)
    return style.finish(drawing, title)


def _whole(axes: Axes, found: Survival) -> None:
    """Draw steps from the start, where all are safe, to a little beyond the last turn."""
    last = len(found.turns) - 1
    places = [-1, *range(last + 1), last + 0.4]
    shares = [turn.safe for turn in found.turns]
    low, middle, high = ([100.0, *_percent([*shares, shares[-1]], name)] for name in ("low", "value", "high"))
    axes.fill_between(places, low, high, step="post", color=style.BLUE, alpha=0.18, linewidth=0)
    axes.step(places, middle, where="post", color=style.BLUE, linewidth=1.8)
    axes.plot(places[1:-1], middle[1:-1], "o", color=style.BLUE, markersize=4)
    axes.set_xticks(places[1:-1], [f"{turn.turn}\nn = {turn.at_risk}" for turn in found.turns])
    axes.set(ylim=(0, 103), xlim=(-1, last + 0.4), ylabel=style.told("survival.share"))
    axes.set_title(style.told("survival.all"), size=8.5)
    axes.grid(visible=True, axis="y")


def _percent(shares: Sequence[Estimate], name: str) -> list[float]:
    ends = [getattr(share, name) for share in shares]
    return [float("nan") if end is None else 100 * float(end) for end in ends]


def _strata(axes: Axes, strata: Sequence[Stratum], turns: int) -> None:
    for (colour, marker), item in zip(_LINES, strata, strict=False):
        places = range(2, 3 + len(item.safe))
        shares = [100.0, *(100 * value for value in item.safe)]
        label = style.told("survival.stratum", low=f"{item.low:.2f}", high=f"{item.high:.2f}", n=item.n)
        axes.plot(places, shares, marker=marker, color=colour, linewidth=1.8, markersize=5, label=label)
    axes.set_xticks(range(2, turns), [f"T{turn}" for turn in range(2, turns)])
    axes.set_xlim(1.8, turns - 0.6)
    axes.set_title(style.told("survival.strata"), size=8.5)
    axes.grid(visible=True, axis="y")
    if strata:
        axes.legend(loc="lower left")
