"""How every plot looks, and how it becomes a PNG and an SVG: no window, no global state, the same bytes each time.

Colours (:mod:`jmedethic_pytest.reports.palette`, and those of score bands) can be told apart with any colour vision,
and colour never stands alone: answers have marks of their own, and what is missing is hatched.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.interface import language, shown
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.reports.palette import light
from jmedethic_pytest.reports.plots.svg import tidy

BLUE, ORANGE, GREEN, PINK, INK, GREY = map(light, ("blue", "orange", "green", "pink", "ink", "grey"))
MISSING: dict[str, Any] = {"facecolor": light("back"), "edgecolor": GREY, "hatch": "////", "linewidth": 0.5}

_JAPANESE = "IPAexGothic"
_RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans", _JAPANESE],
    "font.size": 9.0,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "grid.color": light("grid"),
    "grid.linewidth": 0.6,
    "hatch.color": GREY,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "svg.fonttype": "path",
    "text.hinting": "no_hinting",  # fitted to pixels it costs a third of the drawing, unseen at 150 dpi
    "text.usetex": False,
    "text.parse_math": False,
    "axes.unicode_minus": False,
}
_DPI = 150


class Drawn(NamedTuple):
    """A finished figure in both formats."""

    png: bytes
    svg: str
    """A file of its own; :func:`.svg.inline` makes it a part of a page."""


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    """Make the bundled Japanese font known by its file; importing its package would change settings of the process."""
    font_manager.fontManager.addfont(_japanese_file())


def _japanese_file() -> Path:
    spec = find_spec("matplotlib_fontja")
    if spec is None or spec.origin is None:
        raise ConfigError("Plots need matplotlib-fontja. Next: pip install 'matplotlib-fontja>=1.1'.")
    return Path(spec.origin).parent / "fonts" / "ipaexg.ttf"


def fonts() -> list[str]:
    """Return the files of both fonts; what the first cannot draw is looked for in the second."""
    return [font_manager.findfont("DejaVu Sans"), str(_japanese_file())]


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Return every code point that one of the fonts can draw."""
    return frozenset(code for file in fonts() for code in font_manager.get_font(file).get_charmap())


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Draw with this package's settings; the process's own come back afterwards.

    Args:
        name: of the plot; ids in its SVG depend on it, so that several plots fit into one page.
    """
    _register_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()
        settings: Any = {**_RC, "svg.hashsalt": name}
        mpl.rcParams.update(settings)
        yield


def told(name: str, /, **values: object) -> str:
    """Return what a plot says, in the language chosen."""
    return shown(say(f"plot.{name}", **values))


def new(width: float, height: float, title: str, note: str, *, simulated: bool, layout: bool = True) -> Figure:
    """Return an empty figure with its title, the line below it, and the mark of a simulation.

    Args:
        width: inches.
        height: inches.
        title: what the plot shows.
        note: what a reader must know to read it: direction, n, what is missing.
        simulated: whether scripted demo models made the figures.
        layout: make room for labels by measuring them; without it the caller places the axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained" if layout else None, facecolor=light("back"))
    if layout:
        below, above = (0.26 if simulated else 0.06) / height, 0.58 / height
        figure.get_layout_engine().set(rect=(0.01, below, 0.98, 1 - above - below))  # type: ignore[union-attr, call-arg]
    figure.text(0.01, 1 - 0.1 / height, clean(title), size=13, va="top", color=INK)
    figure.text(0.01, 1 - 0.34 / height, clean(note, 150), size=8.5, va="top", color=light("soft"))
    if simulated:
        look: dict[str, Any] = {"size": 7.5, "color": ORANGE}
        if language() == "en":  # the Japanese font has one weight
            look |= {"weight": "bold", "family": "DejaVu Sans"}
        figure.text(0.99, 0.06 / height, told("simulated"), ha="right", va="bottom", **look)
    return figure


def finish(figure: Figure, title: str) -> Drawn:
    """Return the figure in both formats; must be called where it was drawn, inside :func:`drawing`."""
    figure.set_dpi(_DPI)
    png = _png(figure)
    figure.set_layout_engine("none")  # laid out once, for both
    for axes in figure.axes:  # the layout's last digits depend on the order in which its equations were solved
        axes.set_position(tuple(round(end, 6) for end in axes.get_position().bounds))
    file = io.StringIO()
    FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
        file, metadata={"Date": None, "Creator": None}
    )
    return Drawn(png, tidy(file.getvalue(), clean(title)))


def _png(figure: Figure) -> bytes:
    """Draw with a palette of 256 colours: a third of the bytes of full colour, and no difference to the eye."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    picture = Image.frombuffer("RGBA", canvas.get_width_height(physical=True), pixels)
    file = io.BytesIO()
    picture.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    return file.getvalue()


def save(folder: Path, name: str, drawn: Drawn) -> dict[str, bytes]:
    """Write both files, each at one stroke; return what is in them.

    Raises:
        StoreError: if they cannot be written.
    """
    made = {f"{name}.png": drawn.png, f"{name}.svg": drawn.svg.encode()}
    for file, data in made.items():
        files.replace(folder / file, data, "Free some space, or --report=off.")
    return made


def clean(text: str, limit: int = 110) -> str:
    """Return a text that can stand in a plot: one line of characters the fonts have, cut at so many."""
    known = _characters()
    line = "".join(char if char.isprintable() and ord(char) in known else "\N{REPLACEMENT CHARACTER}" for char in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def score_axis(axes: Axes, *, vertical: bool = True) -> None:
    """Let an axis run over the scores, 1 to 10, with 10 named as the safe end."""
    ticks = list(range(1, 11))
    if vertical:
        axes.set(ylim=(0.6, 10.4), yticks=ticks, ylabel=told("score"))
    else:
        axes.set(xlim=(0.6, 10.4), xticks=ticks, xlabel=told("score"))
    axes.grid(visible=True, axis="y" if vertical else "x")


def missing_patch(label: str = "") -> Patch:
    """Return the legend's sign of what is missing."""
    return Patch(label=label or told("missing"), **MISSING)
