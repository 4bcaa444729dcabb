"""Several models side by side: turn by turn, and safety against helpfulness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jmedethic_pytest.reports.plots import style, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.INK, "#56B4E9", "#E69F00", style.GREY)
_TURN_MARKS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")
_FIELD = (560.0, 360.0)
"""About the size of the quadrant's axes, in points."""
_PLACES = tuple(
    (across, up, side)
    for up in (0, 10, -10, 20, -20, 30, -30, 40, -40, 52, -52)
    for across, side in ((7, "left"), (-7, "right"))
)
"""Where a name may stand beside its point, in points, the best first."""


class _Box(NamedTuple):
    left: float
    right: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, x: float, y: float, side: str) -> _Box:
        width = sum(4.3 if ord(char) < 0x2000 else 7.5 for char in name)
        left = x if side == "left" else x - width
        return cls(left, left + width, y - 4.5, y + 4.5)

    def touches(self, other: _Box) -> bool:
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high


class Model(NamedTuple):
    """One model of a leaderboard."""

    name: str
    turns: tuple[float | None, ...]
    """Mean score of each turn, 1-10, 10 is safe; ``None`` where it is missing."""
    mean: float | None = None
    """Mean over the conversations, 1-10; the order of the list."""
    helpfulness: float | None = None
    """Accuracy on an exam, 0 to 1."""
    group: str = ""
    """``commercial``, ``medical``, ... or whatever else tells models apart by colour."""
    n: int = 0
    """Conversations behind the figures."""
    simulated: bool = False


def write(folder: Path, models: Sequence[Model]) -> dict[str, str]:
    """Write the plots of a leaderboard that have something to show; return them as elements of a page, by name.

    Raises:
        StoreError: if a file cannot be written.
    """
    found: dict[str, str] = {}
    for name, draw in (("leaderboard", by_turn), ("quadrant", quadrant)):
        with style.drawing(name):
            drawn = draw(models)
        if drawn is not None:
            style.save(folder, name, drawn)
            found[name] = svg.inline(drawn.svg, name)
    return found


def by_turn(models: Sequence[Model]) -> style.Drawn | None:
    """Draw every model as a row with its mean at each turn, the safest first."""
    rows = sorted(models, key=lambda item: (item.mean is None, -(item.mean or 0.0), item.name))
    turns = max((len(item.turns) for item in rows), default=0)
    if not turns:
        return None
    title = "Leaderboard: mean score by turn"
    note = f"{len(rows)} models, the safest first. Mean score of each turn, 1-10, right = safe (10)."
    figure = style.new(9.0, 1.7 + 0.3 * len(rows), title, note, simulated=any(item.simulated for item in rows))
    axes = figure.subplots()
    for place, item in enumerate(rows):
        _row(axes, place, item)
    for turn in range(turns):
        mark = _TURN_MARKS[turn % len(_TURN_MARKS)]
        axes.plot([], [], mark, color=_COLOURS[turn % len(_COLOURS)], label=f"T{turn}")
    axes.set_yticks(range(len(rows)), [style.clean(item.name, 44) for item in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    style.score_axis(axes, vertical=False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=turns)
    return style.finish(figure, title)


def _row(axes: Axes, place: int, item: Model) -> None:
    known = [value for value in item.turns if value is not None]
    if not known:
        axes.barh(place, 9, left=1, height=0.4, **style.MISSING)
    else:
        axes.plot([min(known), max(known)], [place, place], color=style.GREY, linewidth=1.2, zorder=1)
    for turn, value in enumerate(item.turns):
        if value is not None:
            mark = _TURN_MARKS[turn % len(_TURN_MARKS)]
            axes.plot(value, place, mark, color=_COLOURS[turn % len(_COLOURS)], markersize=7, markeredgecolor="white")
    lost = sum(value is None for value in item.turns)
    parts = ["no mean" if item.mean is None else f"mean {item.mean:.2f}", *([f"n = {item.n}"] if item.n else [])]
    parts += [f"{lost} turns missing"] if lost else []
    axes.text(1.01, place, ", ".join(parts), transform=axes.get_yaxis_transform(), va="center", size=8)


def quadrant(models: Sequence[Model]) -> style.Drawn | None:
    """Draw safety against helpfulness; a model without one of the two is counted, not drawn."""
    shown = [item for item in models if item.mean is not None and item.helpfulness is not None]
    if not shown:
        return None
    title = "Safety against helpfulness"
    left_out = len(models) - len(shown)
    note = "Up = safe (10), right = helpful. Lines: medians of the models shown." + (
        f" {left_out} of {len(models)} models lack one of the two." if left_out else ""
    )
    figure = style.new(9.0, 6.4, title, note, simulated=any(item.simulated for item in shown))
    axes = figure.subplots()
    for place, group in enumerate(dict.fromkeys(item.group for item in shown)):
        members = [item for item in shown if item.group == group]
        x = [100 * (item.helpfulness or 0.0) for item in members]
        y = [item.mean or 0.0 for item in members]
        look: dict[str, Any] = {"marker": _MARKS[place % len(_MARKS)], "color": _COLOURS[place % len(_COLOURS)]}
        axes.scatter(x, y, s=46, edgecolors="white", label=style.clean(group or "models", 30), zorder=3, **look)
    style.score_axis(axes)
    least = (min(100 * (item.helpfulness or 0.0) for item in shown), min(item.mean or 0.0 for item in shown))
    axes.set(xlim=(max(0.0, least[0] - 8), 101), ylim=(max(0.6, least[1] - 0.8), 10.4))
    axes.set_xlabel("helpfulness: exam accuracy, % (100 = best)")
    axes.grid(visible=True)
    _cross(axes, shown)
    _names(axes, shown)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return style.finish(figure, title)


def _cross(axes: Axes, shown: Sequence[Model]) -> None:
    """Divide the field at the medians, and name its corners."""
    axes.axvline(_median([100 * (item.helpfulness or 0.0) for item in shown]), color=style.GREY, linewidth=1)
    axes.axhline(_median([item.mean or 0.0 for item in shown]), color=style.GREY, linewidth=1)
    corners = {(0.01, 0.985): "safe, less helpful", (0.99, 0.985): "safe and helpful", (0.99, 0.015): "helpful, unsafe"}
    for (x, y), text in corners.items():
        across, up = "left" if x < 0.5 else "right", "top" if y > 0.5 else "bottom"
        axes.text(x, y, text, transform=axes.transAxes, ha=across, va=up, size=8, color=style.GREY, style="italic")


def _names(axes: Axes, shown: Sequence[Model]) -> None:
    """Write every name at the nearest place around its point that touches no other name and no point."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    scale_x, scale_y = _FIELD[0] / (right - left), _FIELD[1] / (high - low)
    points = [(scale_x * 100 * (item.helpfulness or 0.0), scale_y * (item.mean or 0.0)) for item in shown]
    taken = [_Box(x - 4, x + 4, y - 4, y + 4) for x, y in points]
    for item, (x, y) in zip(shown, points, strict=True):
        name = style.clean(item.name, 32)
        boxes = [_Box.of(name, x + across, y + up, side) for across, up, side in _PLACES]
        free = (
            number
            for number, box in enumerate(boxes)
            if box.left > scale_x * left and box.right < scale_x * right and not any(map(box.touches, taken))
        )
        number = next(free, 0)
        taken.append(boxes[number])
        across, up, side = _PLACES[number]
        arrow = {"arrowstyle": "-", "color": style.GREY, "linewidth": 0.6} if abs(up) > 14 else None
        where = (100 * (item.helpfulness or 0.0), item.mean or 0.0)
        look: dict[str, Any] = {
            "textcoords": "offset points",
            "ha": side,
            "va": "center",
            "size": 7.5,
            "arrowprops": arrow,
        }
        axes.annotate(name, where, xytext=(across, up), **look)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
