"""The colours of plots: one for paper and files, and one each for a page in light and in dark.

Blue, orange, green and pink are those of Okabe and Ito, which can be told apart with any colour vision; a page in dark
lightens them. Imports nothing that draws.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Colour(NamedTuple):
    """One colour of a plot."""

    light: str
    dark: str


COLOURS = {
    "back": Colour("#ffffff", "#14171a"),
    "black": Colour("#000000", "#e6e9ec"),
    "ink": Colour("#222222", "#e6e9ec"),
    "soft": Colour("#444444", "#b4bdc6"),
    "grey": Colour("#767676", "#98a2ac"),
    "grid": Colour("#e3e3e3", "#333a41"),
    "none": Colour("#eeeeee", "#262c31"),
    "blue": Colour("#0072b2", "#56b4e9"),
    "orange": Colour("#d55e00", "#ff9a4d"),
    "green": Colour("#009e73", "#35c99b"),
    "pink": Colour("#cc79a7", "#e6a3c6"),
}
_HEX = re.compile("|".join(colour.light for colour in COLOURS.values()), re.IGNORECASE)
_VARIABLES = {colour.light: f"var(--plot-{name})" for name, colour in COLOURS.items()}


def light(name: str) -> str:
    """Return a colour as files have it."""
    return COLOURS[name].light


def themed(svg: str) -> str:
    """Return an SVG whose colours follow those of the page; the colours of score bands stay as they are."""
    return _HEX.sub(lambda found: _VARIABLES[found[0].lower()], svg)


def css() -> str:
    """Return the page's variables, in light and in dark."""
    kinds = [
        "".join(f" --plot-{name}: {getattr(colour, kind)};" for name, colour in COLOURS.items())
        for kind in ("light", "dark")
    ]
    return f":root {{{kinds[0]} }}\n@media (prefers-color-scheme: dark) {{ :root {{{kinds[1]} }} }}\n"
