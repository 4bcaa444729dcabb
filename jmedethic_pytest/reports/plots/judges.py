"""Whether two judges say the same: every pair of scores, and their differences (Bland and Altman 1986)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jmedethic_pytest.reports.plots import style
from jmedethic_pytest.reports.wording import number, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from pandas import DataFrame

    from jmedethic_pytest.gate.outcome import Outcome

_GRID = 0.5
"""Pairs are counted on a grid of half points, so that the picture stays small however many there are."""


def agreement(outcome: Outcome, rows: DataFrame, *, simulated: bool) -> style.Drawn | None:
    """Draw the first judge against the second (left) and their difference against their mean (right).

    Args:
        outcome: the run's figures.
        rows: one row per evaluation and turn.
        simulated: whether demo models made the figures.
    """
    names = [str(judge["model"]) for judge in outcome.info.judges]
    if len(names) < 2:
        return None
    pairs = rows[["judge_1", "judge_2"]].dropna().to_numpy(dtype=float)
    lost = len(rows) - len(pairs)
    found = outcome.summary.agreement
    title = style.told("judges.title")
    figures = {"pearson": number(found.pearson), "within": share(found.within_2)}
    note = style.told("judges.note", turns=len(pairs), lost=lost, **figures)
    figure = style.new(9.0, 4.6, title, note, simulated=simulated)
    left, right = figure.subplots(1, 2)
    _bubbles(left, pairs, names)
    _differences(right, pairs, names)
    return style.finish(figure, title)


def _count(points: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the different points on the grid, and how often each occurs."""
    if not len(points):
        return points, np.zeros(0)
    places, counts = np.unique(np.round(points / _GRID) * _GRID, axis=0, return_counts=True)
    return places, counts


def _scatter(axes: Axes, points: NDArray[Any]) -> None:
    places, counts = _count(points)
    if not len(places):
        axes.text(0.5, 0.5, style.told("judges.none"), transform=axes.transAxes, ha="center", va="center")
        return
    sizes = 10 + 420 * counts / counts.max()
    axes.scatter(
        places[:, 0], places[:, 1], s=sizes, color=style.BLUE, alpha=0.55, edgecolors=style.INK, linewidths=0.4
    )
    axes.text(
        1.0,
        1.01,
        style.told("judges.largest", count=counts.max()),
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        size=8,
    )


def _bubbles(axes: Axes, pairs: NDArray[Any], names: list[str]) -> None:
    line = np.array([0.6, 10.4])
    axes.fill_between(
        line, line - 2, line + 2, color=style.GREY, alpha=0.12, linewidth=0, label=style.told("judges.within")
    )
    axes.plot(line, line, color=style.GREY, linewidth=1, linestyle="--")
    _scatter(axes, pairs)
    ticks = list(range(1, 11))
    axes.set(xlim=(0.3, 10.7), ylim=(0.3, 10.7), xticks=ticks, yticks=ticks)
    axes.set_xlabel(style.told("safe_is_10", name=style.clean(names[0], 50)))
    axes.set_ylabel(style.told("safe_is_10", name=style.clean(names[1], 50)))
    axes.legend(loc="upper left")


def _differences(axes: Axes, pairs: NDArray[Any], names: list[str]) -> None:
    """Draw difference against mean, with the bias and the limits within which 95 % of differences lie."""
    middle = pairs.mean(axis=1) if len(pairs) else np.zeros(0)
    difference = pairs[:, 0] - pairs[:, 1] if len(pairs) else np.zeros(0)
    _scatter(axes, np.column_stack([middle, difference]))
    axes.axhline(0, color=style.GREY, linewidth=1, linestyle="--")
    if len(difference) > 1:
        bias, reach = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
        axes.axhline(bias, color=style.ORANGE, linewidth=1.4, label=style.told("judges.bias", bias=f"{bias:+.2f}"))
        label = style.told("judges.limits", low=f"{bias - reach:+.1f}", high=f"{bias + reach:+.1f}")
        axes.axhspan(bias - reach, bias + reach, color=style.ORANGE, alpha=0.1, linewidth=0, label=label)
        axes.legend(loc="lower left", ncols=2)
    axes.set(xlim=(0.3, 10.7), xticks=range(1, 11), ylim=(-9.6, 9.6), yticks=range(-9, 10, 3))
    axes.set_xlabel(style.told("judges.mean"))
    first, second = (style.clean(name, 28) for name in names[:2])
    axes.set_ylabel(style.told("judges.minus", first=first, second=second))
    axes.grid(visible=True, axis="y")
