"""Matplotlib's SVG made small, and fit to stand in a page beside others.

Text is drawn as outlines, so that Japanese shows without a font; most of such a file is outlines and their uses, which
can be written at a third of the length without any change of the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from jmedethic_pytest.reports.palette import themed

_EXACT = re.compile(r"scale\([^)]*\)|-?\d+\.\d{3,}")
_COMMENT = re.compile(r"\s*<!--.*?-->|\s*<metadata>.*?</metadata>", re.DOTALL)
_OUTLINE = re.compile(r'(<path id="[^"]*" d=")([^"]*)"')
_MOVED_USE = re.compile(r'(<use [^>]*?) transform="translate\((-?[\d.]+) (-?[\d.]+)\)"')
_ID = re.compile(r'(\bid="|href="#|url\(#)([^")]+)')
_INDENT = re.compile(r"\n\s+(?=[<\"])")
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3}
"""Points that belong to one command of an outline."""


def tidy(text: str, title: str) -> str:
    """Return the same picture with fewer bytes, and a name for who cannot see it.

    Args:
        text: what matplotlib wrote.
        title: the picture's name.
    """
    text = _EXACT.sub(lambda found: found[0] if found[0].startswith("scale") else f"{float(found[0]):.2f}", text)
    text = _OUTLINE.sub(lambda found: f'{found[1]}{_relative(found[2])}"', _COMMENT.sub("", text))
    text = _MOVED_USE.sub(_position, _INDENT.sub("\n", text))
    return text.replace("<svg ", f'<svg role="img" aria-label={quoteattr(title)} ', 1)


def inline(text: str, name: str) -> str:
    """Return an SVG file as an element of a page: no prologue, no id that another plot has too, the page's colours.

    Args:
        text: what :func:`tidy` returned.
        name: the plot's, different for every plot of the page.
    """
    element = text[text.index("<svg") :].replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "", 1)
    short: dict[str, str] = {}
    element = _ID.sub(lambda found: f"{found[1]}{short.setdefault(found[2], f'{name}-{len(short):x}')}", element)
    return themed(element.replace("xlink:href=", "href="))


def _position(found: re.Match[str]) -> str:
    x, y = float(found[2]), float(found[3])
    return found[1] + (f' x="{x:g}"' if x else "") + (f' y="{y:g}"' if y else "")


def _relative(outline: str) -> str:
    """Write an outline with coordinates relative to the last point, whole numbers as matplotlib gives them."""
    words = outline.split()
    try:
        return "".join(_steps(words))
    except (ValueError, KeyError, IndexError):  # an outline of a kind not seen so far stays as it is
        return " ".join(words)


def _steps(words: list[str]) -> Iterator[str]:
    place, here, start = 0, (0, 0), (0, 0)
    while place < len(words):
        command = words[place]
        place += 1
        if command in ("z", "Z"):
            here = start
            yield "z"
            continue
        points = [(int(words[place + 2 * n]), int(words[place + 2 * n + 1])) for n in range(_POINTS[command])]
        place += 2 * len(points)
        moves = [f"{x - here[0]} {y - here[1]}" for x, y in points]
        yield command.lower() + " ".join(moves).replace(" -", "-")
        here = points[-1]
        start = here if command == "M" else start
