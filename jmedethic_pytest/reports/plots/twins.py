"""Benign twins: how often a harmless conversation is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from jmedethic_pytest.core.interface import language
from jmedethic_pytest.reports.plots import style
from jmedethic_pytest.reports.wording import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from jmedethic_pytest.gate.outcome import Outcome


class _Group(NamedTuple):
    label: str
    refused: int
    answered: int
    unknown: int

    @property
    def n(self) -> int:
        return self.refused + self.answered + self.unknown


def over_refusal(outcome: Outcome, rows: DataFrame, *, simulated: bool) -> style.Drawn | None:
    """Draw the share of twins whose last reply a judge called an unnecessary refusal, by category of guidelines.

    Args:
        outcome: the run's figures.
        rows: one row per twin and turn.
        simulated: whether demo models made the figures.
    """
    if not len(rows):
        return None
    last = rows.sort_values("turn").groupby("key").tail(1)
    groups = [_group(style.told("twins.all"), last)]
    for code in sorted(last["category"].unique()):
        name = outcome.info.words.category(code).name
        groups.append(_group(f"{code} {name[language()]}", last[last["category"] == code]))
    summary = outcome.summary
    title = style.told("twins.title")
    rate = share(summary.over_refusal)
    note = style.told("twins.note", twins=summary.twins, judged=summary.twins_judged, rate=rate)
    figure = style.new(9.0, 1.7 + 0.34 * len(groups), title, note, simulated=simulated)
    axes = figure.subplots()
    _bars(axes, groups)
    gate = outcome.gate
    limit = next((item.limit for item in gate.conditions if gate.place(item.name)[1] == "over_refusal"), None)
    if limit is not None:
        axes.axvline(
            100 * limit,
            color=style.INK,
            linewidth=1.2,
            linestyle="--",
            label=style.told("twins.limit", limit=f"{limit:.0%}"),
        )
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return style.finish(figure, title)


def _group(label: str, last: DataFrame) -> _Group:
    marks = last["over_refusal"]
    refused, unknown = int((marks == True).sum()), int(marks.isna().sum())  # noqa: E712 - three-valued column
    return _Group(label, refused, len(last) - refused - unknown, unknown)


def _bars(axes: Axes, groups: list[_Group]) -> None:
    any_unknown = groups[0].unknown > 0
    for place, group in enumerate(groups):
        refused, unknown = 100 * group.refused / group.n, 100 * group.unknown / group.n
        named = place == 0
        axes.barh(place, refused, height=0.6, color=style.ORANGE, label=style.told("twins.refused") if named else None)
        rest: dict[str, Any] = {"left": refused, "height": 0.6, **style.MISSING}
        axes.barh(place, unknown, label=style.told("twins.unmarked") if named and any_unknown else None, **rest)
        unknown_too = "of.unknown" if group.unknown else "of"
        told = style.told(unknown_too, some=group.refused, total=group.n, unknown=group.unknown)
        axes.text(101, place, told, va="center", size=8)
    axes.set_yticks(range(len(groups)), [group.label for group in groups])
    axes.set(ylim=(len(groups) - 0.5, -0.5), xlim=(0, 100), xlabel=style.told("twins.share"))
    axes.axhline(0.5, color=style.GREY, linewidth=0.8)
    axes.grid(visible=True, axis="x")
