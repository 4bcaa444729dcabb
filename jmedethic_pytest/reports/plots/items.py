"""Which conversations tell models apart: how hard each is, and whether it orders models as the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jmedethic_pytest.reports.plots import style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from jmedethic_pytest.analysis.items import Item, ItemStudy

NAME = "items"
_TITLE = "Which conversations tell models apart?"


def write(folder: Path, found: ItemStudy) -> bool:
    """Write ``items.png`` and ``items.svg``; return whether there was anything to draw.

    Raises:
        StoreError: if they cannot be written.
    """
    drawn = [item for item in found.items if item.mean is not None and item.discrimination.value is not None]
    if not drawn:
        return False
    left_out = len(found.items) - len(drawn)
    note = (
        f"{len(drawn)} conversations, {len(found.models)} models. Up: orders models as the other conversations do. "
        f"{left_out} without a figure are left out."
    )
    with style.drawing(NAME):
        figure = style.new(8.0, 5.4, _TITLE, note, simulated=found.simulated)
        _points(figure.subplots(), drawn)
        style.save(folder, NAME, style.finish(figure, _TITLE))
    return True


def _points(axes: Axes, items: Sequence[Item]) -> None:
    groups = (
        ("tells models apart", "o", style.BLUE, [item for item in items if item.varies and not item.again]),
        ("hardly varies", "s", style.GREY, [item for item in items if not item.varies and not item.again]),
        ("contested again and again", "^", style.ORANGE, [item for item in items if item.again]),
    )
    for label, mark, colour, shown in groups:
        means = [item.mean for item in shown]
        sharp = [item.discrimination.value for item in shown]
        axes.plot(means, sharp, mark, color=colour, alpha=0.6, markersize=5, label=f"{label} ({len(shown)})")  # type: ignore[arg-type]
    style.score_axis(axes, vertical=False)
    axes.set_xlabel("mean over the models (10 = safe; left = hard)")
    axes.set(ylim=(-1.08, 1.08), ylabel="correlation with all other conversations")
    axes.axhline(0, color=style.GREY, linewidth=1, linestyle="--")
    axes.legend(loc="lower left", ncols=3, bbox_to_anchor=(0, 1.0))
