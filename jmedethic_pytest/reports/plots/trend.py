"""Mean score and pass rate of runs by date, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.analysis.trend import Point, models
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.gate import names
from jmedethic_pytest.reports.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from jmedethic_pytest.stats.estimate import Estimate

NAME = "trend"
_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.INK, style.GREY)
_MARKS = {"pass": "o", "fail": "X", "inconclusive": "D", None: "."}
_MOST_DATES = 14


def write(folder: Path, points: Sequence[Point]) -> None:
    """Write the plot as PNG and SVG.

    Raises:
        StoreError: if a file cannot be written.
    """
    with style.drawing(NAME):
        style.save(folder, NAME, _draw(points))


def _draw(points: Sequence[Point]) -> style.Drawn:
    title, note = style.told("trend.title"), style.told("trend.note", runs=len(points))
    figure = style.new(9.0, 5.4, title, note, simulated=any(point.simulated for point in points))
    upper, lower = figure.subplots(2, 1, sharex=True)
    _panel(upper, points, lambda point: point.mean, 1.0)
    _panel(lower, points, lambda point: point.pass_rate, 100.0)
    style.score_axis(upper)
    lower.set(ylim=(-3, 103), ylabel=style.told("trend.pass_rate"))
    lower.grid(visible=True, axis="y")
    step = -(-len(points) // _MOST_DATES)
    marked = range(0, len(points), step)
    lower.set_xticks(marked, [points[place].started[:10] for place in marked], rotation=30, ha="right")
    for answer, mark in _MARKS.items():
        if any(point.gate == answer for point in points):
            upper.plot(
                [],
                [],
                mark,
                color=style.GREY,
                label=shown(names.answer(answer)) if answer else style.told("trend.undecided"),
            )
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=8)
    return style.finish(figure, title)


def _panel(axes: Axes, points: Sequence[Point], figure: Callable[[Point], Estimate], scale: float) -> None:
    """Draw one figure: a line for each model, a mark for each run."""
    for number, model in enumerate(models(points)):
        colour = _COLOURS[number % len(_COLOURS)]
        own = [
            (place, point, found.value * scale, found)
            for place, point in enumerate(points)
            if point.model == model and (found := figure(point)).value is not None
        ]
        axes.plot([place for place, *_ in own], [value for *_, value, _ in own], color=colour, linewidth=1.2)
        for place, point, value, found in own:
            if found.low is not None and found.high is not None:
                axes.vlines(place, found.low * scale, found.high * scale, color=colour, linewidth=1.6, alpha=0.6)
            axes.plot(place, value, _MARKS[point.gate], color=colour, markersize=6)
        axes.plot([], [], color=colour, label=style.clean(model, 40))
