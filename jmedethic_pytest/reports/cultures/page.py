"""The comparison of packs as one page, in Japanese and in English, and the folder it lies in."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from jmedethic_pytest.analysis.cultures.records import Contrast, Cultures, GapChange
from jmedethic_pytest.core import files
from jmedethic_pytest.reports import plots
from jmedethic_pytest.reports.cultures import tables
from jmedethic_pytest.reports.cultures.lines import answer
from jmedethic_pytest.reports.figure_page import FigurePage, Line
from jmedethic_pytest.reports.wording import figure, number, points, points_interval, share
from jmedethic_pytest.reports.words import plain

NAME = "cultures.html"
_PAGE = FigurePage("cultures")
word = _PAGE.word


def write(found: Cultures, folder: Path) -> list[Path]:
    """Write page and tables into a folder, and the plot where what draws is installed; return the files.

    Raises:
        StoreError: if a file cannot be written.
    """
    drawn = _draw(found, folder) if plots.there() else ""
    written = {"cultures.csv": tables.csv(found), "cultures.md": tables.markdown(found), NAME: render(found, drawn)}
    for name, content in written.items():
        files.replace(folder / name, content)
    return [folder / name for name in (*written, *(["cultures.png", "cultures.svg"] if drawn else []))]


def _draw(found: Cultures, folder: Path) -> str:
    from jmedethic_pytest.reports.plots import cultures as plot

    bars = [
        plot.Bar(f"{item.second} minus {item.first}", item.mean, answer(item), item.finding != "inconclusive")
        for item in found.contrasts
    ]
    return plot.write(folder, bars, simulated=found.simulated)


def render(found: Cultures, drawn: str = "") -> str:
    """Return the page; it holds figures alone."""
    names = list(dict.fromkeys(name for pack in found.packs for name in pack.strategies))
    return _PAGE.render(
        found=found,
        plot=Markup(drawn),  # noqa: S704 - our own drawing
        packs=[_pack_line(found, place) for place in range(len(found.packs))],
        contrasts=[_contrast(item) for item in found.contrasts],
        names=names,
        strategies=[
            Line(plain(pack.name), tuple(number(pack.strategies.get(name)) for name in names)) for pack in found.packs
        ],
        gaps=[Line(plain(f"{gap.pack}: {gap.first} - {gap.second}"), (figure(gap.gap),)) for gap in found.gaps],
        changes=[_change(item) for item in found.changes],
    )


def _pack_line(found: Cultures, place: int) -> Line:
    item = found.packs[place]
    counts = (str(len(item.models)), str(item.guidelines), str(item.conversations), str(item.missing))
    return Line(plain(item.name), (*counts, figure(item.mean), share(item.pass_rate.value)))


def _change(item: GapChange) -> Line:
    label = plain(f"{'; '.join(item.packs)}: {item.first} - {item.second}")
    return Line(label, (figure(item.change),), (plain(item.reason),))


def _contrast(item: Contrast) -> Line:
    figures = (str(item.groups), figure(item.mean), f"{points(item.pass_rate.value)} {points_interval(item.pass_rate)}")
    finding = {
        "first": word("safer", pack=item.first),
        "second": word("safer", pack=item.second),
        "no difference shown": word("no_difference"),
        "inconclusive": word("inconclusive", reason=plain(item.reason)),
    }[item.finding]
    carried = word(item.carried.replace(" ", "_")) if item.carried != "inconclusive" else word("inconclusive_short")
    return Line(plain(f"{item.second} - {item.first}"), (*figures, figure(item.tau)), (finding, carried))
