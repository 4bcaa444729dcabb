"""Guidelines against strategies: where a model is weak."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.reports import bands
from jmedethic_pytest.reports.palette import light
from jmedethic_pytest.reports.plots import style
from jmedethic_pytest.reports.plots.lettering import Lettering

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from pandas import DataFrame

    from jmedethic_pytest.core.vocabulary import Vocabulary

_ROW, _WIDTH, _HEAD, _FOOT, _LEFT, _RIGHT = 0.2, 11.4, 1.5, 0.75, 3.75, 2.7
"""Inches: of a guideline, of the figure, and of the margins. Measuring some 600 labels instead would take seconds."""
_SIZE = 7.5
"""Points of letters and numbers."""


def guideline_by_strategy(cases: DataFrame, vocabulary: Vocabulary, *, simulated: bool) -> style.Drawn | None:
    """Draw the mean conversation score of every guideline under every strategy.

    Args:
        cases: one row per adversarial case, with the mean over its turns.
        vocabulary: the words of the run.
        simulated: whether demo models made the figures.
    """
    guidelines, strategies = _weakest_first(cases, vocabulary), sorted(cases["strategy"].unique())
    if not guidelines:
        return None
    cells = cases.groupby(["guideline", "strategy"])["mean"].agg(["mean", "count", "size"])
    mean = cells["mean"].unstack().reindex(index=guidelines, columns=strategies).to_numpy(dtype=float)
    planned = cells["size"].unstack().reindex(index=guidelines, columns=strategies).fillna(0).to_numpy(dtype=float)
    known = int(cells["count"].sum())
    title = style.told("heatmap.title")
    note = style.told("heatmap.note", known=known, total=len(cases))
    body = _ROW * len(guidelines)
    height = body + _HEAD + _FOOT
    figure = style.new(_WIDTH, height, title, note, simulated=simulated, layout=False)
    place = (_LEFT / _WIDTH, _FOOT / height, 1 - (_LEFT + _RIGHT) / _WIDTH, body / height)
    axes = figure.add_axes(place)
    axes.set(xlim=(-0.5, len(strategies) - 0.5), ylim=(len(guidelines) - 0.5, -0.5))
    _cells(axes, mean)
    axes.vlines(np.arange(0.5, len(strategies) - 1), -0.5, len(guidelines) - 0.5, color="white", linewidth=0.8)
    axes.hlines(np.arange(0.5, len(guidelines) - 1), -0.5, len(strategies) - 0.5, color="white", linewidth=0.8)
    _gaps(axes, mean, planned)
    _numbers(axes, mean)
    _labels(axes, guidelines, strategies, vocabulary)
    bar = figure.add_axes((place[0], (_FOOT - 0.18) / height, place[2], 0.08 / height))
    _scale(bar)
    return style.finish(figure, title)


def _weakest_first(cases: DataFrame, vocabulary: Vocabulary) -> list[str]:
    """Order guidelines by category, and categories and the guidelines in them by their mean; without a score last."""
    category = cases["guideline"].map(lambda key: vocabulary.guideline(key).category)
    means = cases["mean"].groupby(category).mean(), cases["mean"].groupby(cases["guideline"]).mean()
    within = dict(zip(cases["guideline"], category, strict=True))

    def place(key: str) -> tuple[float, str, float, str]:
        code = within[key]
        ends = [float("inf") if np.isnan(mean) else float(mean) for mean in (means[0][code], means[1][key])]
        return ends[0], code, ends[1], key

    return sorted(within, key=place)


def _cells(axes: Axes, mean: NDArray[Any]) -> None:
    """Fill every cell with the colour of its score: all of a band at one stroke, neighbours in a row as one."""
    banded: dict[bands.Band, list[Path]] = {}
    for row, values in enumerate(mean):
        found = enumerate(None if np.isnan(value) else bands.of(value) for value in values)
        for band, run in groupby(found, key=itemgetter(1)):
            if band is not None:
                columns = [column for column, _ in run]
                banded.setdefault(band, []).append(_rectangle(row, columns[0], columns[-1]))
    for band, cells in banded.items():
        axes.add_patch(PathPatch(Path.make_compound_path(*cells), color=band.colour, linewidth=0, zorder=0))


def _rectangle(row: int, first: int, last: int) -> Path:
    """Return the outline of neighbours in a row."""
    left, right, top, bottom = first - 0.5, last + 0.5, row - 0.5, row + 0.5
    return Path([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], closed=True)


def _gaps(axes: Axes, mean: NDArray[Any], planned: NDArray[Any]) -> None:
    """Hatch a cell whose scores are missing; leave one that has no case grey."""
    for (row, column), value in np.ndenumerate(mean):
        if np.isnan(value):
            look: dict[str, Any] = (
                style.MISSING if planned[row, column] else {"facecolor": light("none"), "linewidth": 0}
            )
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))


def _numbers(axes: Axes, mean: NDArray[Any]) -> None:
    """Write the score of every cell."""
    numbers = Lettering(axes.transData, _SIZE)
    for (row, column), value in np.ndenumerate(mean):
        if not np.isnan(value):
            numbers.write(f"{value:.1f}", column, row, align=0.5, colour=bands.of(value).text)
    axes.add_artist(numbers)


def _labels(axes: Axes, guidelines: list[str], strategies: list[str], vocabulary: Vocabulary) -> None:
    """Name the guidelines in English on the left and in Japanese on the right, the strategies above."""
    axes.set_axis_off()
    known = [vocabulary.guideline(key) for key in guidelines]
    names, tall = Lettering(axes.get_yaxis_transform(), _SIZE), axes.get_xaxis_transform()
    for row, item in enumerate(known):
        names.write(style.clean(f"{item.title['en']}  {item.id}", 72), -0.01, row, align=1)
        names.write(style.clean(item.title["ja"], 26), 1.01, row, align=0)
        if row and item.category != known[row - 1].category:
            axes.axhline(row - 0.5, color=style.INK, linewidth=1.2)
    axes.add_artist(names)
    for column, key in enumerate(strategies):
        name = "\n".join([key, *_words(vocabulary.strategy(key).name["en"])])
        axes.text(column, 1.0 + 0.05 / len(known), name, transform=tall, ha="center", va="bottom", size=6.5)


def _words(name: str) -> list[str]:
    """Break a name into lines that fit over a column."""
    return name.replace("-", "- ").split()


def _scale(axes: Axes) -> None:
    """Draw the meaning of the colours and of the hatching."""
    look: dict[str, Any] = {"height": 1, "linewidth": 0.4, "edgecolor": style.INK}
    cells = [*((shown(band.label), band.colour) for band in bands.BANDS), (style.told("missing"), "")]
    for place, (label, colour) in enumerate(cells):
        axes.barh(0, 1, left=place, **(style.MISSING | {"height": 1} if not colour else look | {"color": colour}))
        axes.text(place + 0.5, -0.7, label, ha="center", va="top", size=8)
    axes.set(xlim=(0, len(cells)), ylim=(-0.5, 0.5))
    axes.set_axis_off()
