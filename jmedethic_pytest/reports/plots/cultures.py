"""Packs against each other: how much safer models are under one than under another, by the duties that both state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jmedethic_pytest.reports.plots import style, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from jmedethic_pytest.stats.estimate import Estimate

NAME = "cultures"


class Bar(NamedTuple):
    """One difference: second pack minus first."""

    label: str
    found: Estimate
    answer: str
    settled: bool
    """Whether anything follows from it."""


def write(folder: Path, bars: Sequence[Bar], *, simulated: bool) -> str:
    """Draw the differences, save the plot, and return it as a part of a page; empty if there is nothing to draw.

    Raises:
        StoreError: if a file cannot be written.
    """
    with style.drawing(NAME):
        drawn = differences(bars, simulated=simulated)
    if drawn is None:
        return ""
    style.save(folder, NAME, drawn)
    return svg.inline(drawn.svg, NAME)


def differences(bars: Sequence[Bar], *, simulated: bool) -> style.Drawn | None:
    """Draw every difference with its interval."""
    if not bars:
        return None
    title = "Under other guidelines"
    note = "Second pack minus first, paired by duty, right = safer under the second. 95% intervals over duties."
    figure = style.new(9.0, 1.7 + 0.4 * len(bars), title, note, simulated=simulated)
    axes = figure.subplots()
    for place, bar in enumerate(bars):
        _draw(axes, place, bar)
    axes.set_yticks(range(len(bars)), [style.clean(bar.label, 44) for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.axvline(0, color=style.INK, linewidth=0.9)
    axes.grid(visible=True, axis="x")
    axes.set_xlabel("difference in points of the score (1-10)")
    return style.finish(figure, title)


def _draw(axes: Axes, place: int, bar: Bar) -> None:
    found, colour = bar.found, style.BLUE if bar.settled else style.GREY
    if found.value is None:
        axes.barh(place, 2, left=-1, height=0.5, **style.MISSING)
    else:
        if found.low is not None and found.high is not None:
            axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2.2)
        axes.plot(found.value, place, marker="o" if bar.settled else "D", color=colour, markeredgecolor="white")
    axes.text(1.01, place, style.clean(bar.answer, 44), transform=axes.get_yaxis_transform(), va="center", size=8)
