"""Where the scores lie: by turn (after Figure 4 of arXiv 2601.01627v2) and by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jmedethic_pytest.core.interface import language, shown
from jmedethic_pytest.core.scores import PAPER_FLOOR, SLACK, at_or_below
from jmedethic_pytest.reports.bands import BANDS
from jmedethic_pytest.reports.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from pandas import DataFrame

    from jmedethic_pytest.analysis.summary import Summary
    from jmedethic_pytest.core.vocabulary import Vocabulary

_MOST_POINTS = 400
"""Points drawn for one box; of more, a seeded sample stands for all. Boxes and shares use every score."""


def by_turn(summary: Summary, rows: DataFrame, *, simulated: bool) -> style.Drawn | None:
    """Draw the scores of every turn as box and points, and their shares by band, the missing ones among them.

    Args:
        summary: the run's figures.
        rows: one row per adversarial case and turn.
        simulated: whether demo models made the figures.
    """
    turns = sorted(rows["turn"].unique().tolist())
    values = [_known(rows.loc[rows["turn"] == turn, "value"]) for turn in turns]
    missing = [int(rows.loc[rows["turn"] == turn, "value"].isna().sum()) for turn in turns]
    if not turns:
        return None
    title = style.told("turns.title")
    note = style.told("turns.note", scored=summary.attacks_scored)
    figure = style.new(9.0, 4.6, title, note, simulated=simulated)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    _boxes(left, values, vertical=True)
    labels = [f"T{turn}\nn = {len(found)}" for turn, found in zip(turns, values, strict=True)]
    left.set_xticks(range(len(turns)), labels)
    left.axhspan(0.6, PAPER_FLOOR, color=BANDS[0].colour, alpha=0.08, linewidth=0)
    left.set_title(style.told("turns.legend"), size=8.5)
    style.score_axis(left)
    _bands(right, values, missing, [f"T{turn}" for turn in turns])
    return style.finish(figure, title)


def by_strategy(rows: DataFrame, cases: DataFrame, vocabulary: Vocabulary, *, simulated: bool) -> style.Drawn | None:
    """Draw the mean score of every conversation by strategy, and the share that fell to 2 at some turn.

    Args:
        rows: one row per adversarial case and turn.
        cases: one row per adversarial case, with mean and minimum over its turns.
        vocabulary: the words of the run.
        simulated: whether demo models made the figures.
    """
    keys = sorted(cases["strategy"].unique().tolist())
    if not keys:
        return None
    groups = [cases[cases["strategy"] == key] for key in keys]
    values = [_known(group["mean"]) for group in groups]
    title = style.told("strategies.title")
    note = style.told("strategies.note")
    figure = style.new(9.0, 1.5 + 0.46 * len(keys), title, note, simulated=simulated)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1), sharey=True)
    _boxes(left, values, vertical=False)
    names = [f"{key} {vocabulary.strategy(key).name[language()]}" for key in keys]
    labels = [f"{name}\nn = {len(found)}" for name, found in zip(names, values, strict=True)]
    left.set_yticks(range(len(keys)), labels)
    left.set_ylim(len(keys) - 0.5, -0.5)
    style.score_axis(left, vertical=False)
    fallen = set(rows.loc[at_or_below(rows["value"], PAPER_FLOOR), "key"])
    _fallen_bars(right, groups, fallen)
    return style.finish(figure, title)


def _known(column: Any) -> NDArray[Any]:
    return np.asarray(column.dropna(), dtype=float)


def _boxes(axes: Axes, groups: Sequence[NDArray[Any]], *, vertical: bool) -> None:
    """Draw one box a group with its points beside each other; a group without scores says so."""
    positions = [place for place, values in enumerate(groups) if len(values)]
    _points(axes, groups, vertical=vertical)
    axes.set(**{"xlim" if vertical else "ylim": (-0.5, len(groups) - 0.5)})
    for place in set(range(len(groups))) - set(positions):
        x, y = (place, 5.5) if vertical else (5.5, place)
        axes.text(x, y, style.told("no_score"), ha="center", va="center", size=8)
    if not positions:
        return
    axes.boxplot(
        [groups[place] for place in positions],
        positions=positions,
        widths=0.5,
        orientation="vertical" if vertical else "horizontal",
        showfliers=False,
        showmeans=True,
        manage_ticks=False,
        medianprops={"color": style.INK, "linewidth": 1.8},
        boxprops={"color": style.INK},
        whiskerprops={"color": style.INK},
        capprops={"color": style.INK},
        meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": style.INK, "markersize": 5},
    )


def _points(axes: Axes, groups: Sequence[NDArray[Any]], *, vertical: bool) -> None:
    """Scatter the scores; they lie on a grid of half points, so they are spread a little in both directions."""
    chance = np.random.default_rng(0)
    along: list[NDArray[Any]] = []
    across: list[NDArray[Any]] = []
    for place, values in enumerate(groups):
        shown = values if len(values) <= _MOST_POINTS else chance.choice(values, _MOST_POINTS, replace=False)
        along.append(np.clip(shown + chance.uniform(-0.12, 0.12, len(shown)), 0.8, 10.2))
        across.append(place + chance.uniform(-0.21, 0.21, len(shown)))
    x, y = np.concatenate(across), np.concatenate(along)
    axes.scatter(*((x, y) if vertical else (y, x)), s=7, color=style.BLUE, alpha=0.35, linewidths=0, rasterized=True)


def _bands(axes: Axes, values: Sequence[NDArray[Any]], missing: Sequence[int], labels: Sequence[str]) -> None:
    """Stack the share of every score band, from unsafe below to safe above, with the missing scores on top."""
    totals = [max(len(found) + lost, 1) for found, lost in zip(values, missing, strict=True)]
    bottom = np.zeros(len(values))
    low = 0.0
    for band in BANDS:
        share = np.array(
            [
                100 * ((found > low + SLACK) & at_or_below(found, band.end)).sum() / total
                for found, total in zip(values, totals, strict=True)
            ]
        )
        bars = axes.bar(labels, share, bottom=bottom, width=0.62, color=band.colour, edgecolor=style.INK, linewidth=0.4)
        bars.set_label(shown(band.label))
        _write_shares(axes, share, bottom, band.text)
        bottom, low = bottom + share, band.end
    if any(missing):
        rest = [100 * lost / total for lost, total in zip(missing, totals, strict=True)]
        axes.bar(labels, rest, bottom=bottom, width=0.62, label=style.told("missing"), **style.MISSING)
    axes.set(ylim=(0, 100), ylabel=style.told("turns.share"))
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], names[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5))


def _write_shares(axes: Axes, share: NDArray[Any], bottom: NDArray[Any], colour: str) -> None:
    for place, (value, start) in enumerate(zip(share, bottom, strict=True)):
        if value >= 5:
            axes.text(place, start + value / 2, f"{value:.0f}", ha="center", va="center", size=8, color=colour)


def _fallen_bars(axes: Axes, groups: Sequence[DataFrame], fallen: set[str]) -> None:
    """Draw the share of conversations that fell, and hatched behind it those that cannot be known."""
    for place, group in enumerate(groups):
        n = len(group)
        fell = int(group["key"].isin(fallen).sum())
        unknown = int((group["min"].isna() & ~group["key"].isin(fallen)).sum())
        axes.barh(place, 100 * fell / n, height=0.5, color=BANDS[0].colour)
        axes.barh(place, 100 * unknown / n, left=100 * fell / n, height=0.5, **style.MISSING)
        told = style.told("of.unknown" if unknown else "of", some=fell, total=n, unknown=unknown)
        axes.text(101, place, told, va="center", size=8, color=style.INK)
    axes.set(xlim=(0, 100), xlabel=style.told("strategies.share"))
    axes.grid(visible=True, axis="x")
    axes.tick_params(axis="y", left=False, labelleft=False)
    if any(group["min"].isna().any() for group in groups):
        handle = style.missing_patch(style.told("strategies.unknown"))
        axes.legend(handles=[handle], loc="lower left", bbox_to_anchor=(0, 1.0), borderpad=0)
