"""Short texts by the hundred, laid out once; matplotlib measures and lays out every text again for each format.

A glyph is drawn as a mark at all its places: one outline, however often it is used.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, IdentityTransform, Transform

from jmedethic_pytest.reports.plots import style

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase

_MIDDLE = 0.37
"""Of the size of the letters: how far their middle lies above the line they stand on."""


class Lettering(Artist):
    """Texts of one size, each around the height of a place.

    Args:
        transform: of the places.
        size: of the letters, in points.
    """

    def __init__(self, transform: Transform, size: float) -> None:
        super().__init__()
        self.set_transform(transform)
        self._scale = size / text_to_path.FONT_SCALE
        self._font = font_manager.get_font(style.fonts())
        self._font.set_size(text_to_path.FONT_SCALE, text_to_path.DPI)
        self._glyphs: dict[str, Any] = {}
        self._laid_out: dict[str, tuple[list[tuple[str, float]], float]] = {}
        """Of every text: its glyphs that draw something, how far to the right each stands, and how wide all are."""
        self._places: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
        """Of every glyph in a colour: the place of its text, and how far to the right of that it stands."""

    def write(self, text: str, x: float, y: float, *, align: float, colour: str = "black") -> None:
        """Add a text.

        Args:
            text: one line.
            x: where it stands.
            y: where its middle lies.
            align: which part of its width lies at ``x``: 0 its left end, 1 its right end.
            colour: of the letters.
        """
        if text not in self._laid_out:
            self._laid_out[text] = self._lay_out(text)
        glyphs, width = self._laid_out[text]
        for glyph, right in glyphs:
            self._places[glyph, colour].append((x, y, right - align * width))

    def _lay_out(self, text: str) -> tuple[list[tuple[str, float]], float]:
        untyped: Any = text_to_path
        found, self._glyphs, _ = untyped.get_glyphs_with_font(self._font, text, self._glyphs)
        drawn = [(glyph, right) for glyph, right, *_ in found if len(self._glyphs[glyph][0])]
        if not drawn:
            return [], 0.0
        last, right = drawn[-1]
        return drawn, right + self._glyphs[last][0][:, 0].max()

    def draw(self, renderer: RendererBase) -> None:
        """Draw all texts."""
        pixels: Any = renderer.points_to_pixels(self._scale)
        unit, to_pixels = float(pixels), self.get_transform()
        context: Any = renderer.new_gc()
        context.set_linewidth(0)
        context.set_snap(False)  # else upright strokes become bolder than the others
        for (glyph, colour), places in self._places.items():
            x, y, right = np.array(places).T
            ends = to_pixels.transform(np.column_stack([x, y]))
            ends += np.column_stack([right, np.full_like(right, -_MIDDLE * text_to_path.FONT_SCALE)]) * unit
            outline = Path(*self._glyphs[glyph])
            renderer.draw_markers(
                context, outline, Affine2D().scale(unit), Path(ends), IdentityTransform(), to_rgb(colour)
            )
        context.restore()
