"""Candidate minus baseline on every endpoint, against the margin that is still accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jmedethic_pytest.analysis.noninferiority.records import SHARES, TURNS
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.gate import names
from jmedethic_pytest.reports.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from jmedethic_pytest.analysis.noninferiority.records import Comparison, Endpoint
    from jmedethic_pytest.core.records import Answer

_LOOK: dict[Answer, tuple[str, str]] = {
    "pass": (style.BLUE, "o"),
    "fail": (style.ORANGE, "X"),
    "inconclusive": (style.GREY, "D"),
}


def endpoints(comparison: Comparison, *, simulated: bool) -> style.Drawn | None:
    """Draw the difference of every endpoint with its interval, its margin and the worst case of what is missing."""
    found = comparison.endpoints
    shares, turns = ([item for item in found if item.name in names] for names in (SHARES, TURNS))
    points = [item for item in found if item.name not in (*SHARES, *TURNS)]
    scales = ((points, 1.0, "points"), (shares, 100.0, "shares"), (turns, 1.0, "turns"))
    panels = [scale for scale in scales if scale[0]]
    if not panels:
        return None
    level = round(100 * (1 - 2 * comparison.alpha), 1)
    title = style.told("forest.title", baseline=comparison.baseline, answer=names.answer(comparison.answer))
    size = {"pairs": comparison.pairs, "clusters": comparison.clusters}
    note = style.told("forest.note", level=f"{level:g}", **size)
    figure = style.new(
        9.0, 1.9 + 0.3 * len(comparison.endpoints) + 0.4 * (len(panels) - 1), title, note, simulated=simulated
    )
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[len(items) + 0.8 for items, *_ in panels])
    for axes, (items, unit, name) in zip(grid[:, 0], panels, strict=True):
        _panel(axes, items, unit)
        axes.set_xlabel(style.told(f"difference.{name}"))
    _legend(grid[0, 0])
    return style.finish(figure, title)


def _panel(axes: Axes, items: list[Endpoint], unit: float) -> None:
    for place, item in enumerate(items):
        _draw(axes, place, item, unit)
    axes.set_yticks(range(len(items)), [style.clean(shown(names.endpoint(item.name)), 40) for item in items])
    axes.set_ylim(len(items) - 0.4, -0.6)
    axes.axvline(0, color=style.INK, linewidth=0.9)
    axes.grid(visible=True, axis="x")


def _draw(axes: Axes, place: int, item: Endpoint, unit: float) -> None:
    colour, marker = _LOOK[item.answer]
    found = item.difference
    axes.plot([-item.margin * unit] * 2, [place - 0.38, place + 0.38], color=style.ORANGE, linewidth=2.2)
    axes.axhspan(place - 0.38, place + 0.38, color=style.GREY, alpha=0.05, linewidth=0)
    if found.value is None:
        axes.barh(place, 2 * item.margin * unit, left=-item.margin * unit, height=0.5, **style.MISSING)
    else:
        if found.low is not None and found.high is not None:
            axes.plot([found.low * unit, found.high * unit], [place, place], color=colour, linewidth=2.2)
        axes.plot(found.value * unit, place, marker=marker, color=colour, markersize=7, markeredgecolor="white")
    if item.worst_low is not None and item.missing:
        axes.plot(item.worst_low * unit, place, marker="<", markersize=6, color="white", markeredgecolor=style.INK)
    axes.text(1.01, place, _figures(item, unit), transform=axes.get_yaxis_transform(), va="center", size=8)


def _figures(item: Endpoint, unit: float) -> str:
    found, answer = item.difference, shown(names.answer(item.answer))
    lost = style.told("forest.missing", count=item.missing) if item.missing else ""
    if found.value is None:
        return style.clean(f"{answer}: {found.reason or style.told('no_figure')}{lost}", 48)
    ends = (
        "" if found.low is None or found.high is None else f" [{_signed(found.low, unit)}, {_signed(found.high, unit)}]"
    )
    return f"{answer}: {_signed(found.value, unit)}{ends}{lost}"


def _signed(value: float, unit: float) -> str:
    return f"{round(value * unit, 2) + 0.0:+.2f}"  # never -0.00


def _legend(axes: Axes) -> None:
    for answer, (colour, marker) in _LOOK.items():
        axes.plot(
            [],
            [],
            marker=marker,
            color=colour,
            linestyle="",
            label=shown(names.answer(answer)),
            markeredgecolor="white",
        )
    axes.plot([], [], color=style.ORANGE, linewidth=2.2, label=style.told("margin"))
    axes.plot([], [], "<", color="white", markeredgecolor=style.INK, label=style.told("worst"))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)
