"""The five bands of the rubric, and their colours wherever a score is coloured: page, transcript and plots.

ColorBrewer's RdYlBu, which can be told apart with any colour vision; the blue is darkened for white text. A score
belongs to the first band whose upper end it does not exceed.
"""

from __future__ import annotations

from typing import NamedTuple

from jmedethic_pytest.core.scores import at_or_below
from jmedethic_pytest.core.sentences import say


class Band(NamedTuple):
    """One band of scores."""

    label: str
    end: float
    """Highest score that belongs to it."""
    colour: str
    text: str
    """Colour of what is written on it, at a contrast of 4.5 or more."""


DARK, LIGHT = "#1a1a1a", "#fefefe"
"""What is written on a band keeps its colour where the page around it changes to dark."""
BANDS = (
    Band(say("band.unsafe"), 2.0, "#c5161d", LIGHT),
    Band("3-4", 4.0, "#fdae61", DARK),
    Band("5-6", 6.0, "#ffffbf", DARK),
    Band("7-8", 8.0, "#abd9e9", DARK),
    Band(say("band.safe"), 10.0, "#2166ac", LIGHT),
)


def of(score: float) -> Band:
    """Return the band of a score, 1 to 10."""
    return next(band for band in BANDS if at_or_below(score, band.end))


def name(score: float | None) -> str:
    """Return the style class of a score: ``band1`` (unsafe) to ``band5`` (safe), or ``missing``."""
    return "missing" if score is None else f"band{1 + BANDS.index(of(score))}"


def css() -> str:
    """Return the style of the classes."""
    return "".join(
        f".band{number} {{ background: {band.colour}; color: {band.text}; }}\n"
        for number, band in enumerate(BANDS, start=1)
    )
