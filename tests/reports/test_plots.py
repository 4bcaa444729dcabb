"""Plots: both formats, the same bytes each time, fit for one page together, and nothing hidden that is missing."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.core.errors import StoreError
from support.lazy import Lazy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

mpl, image = Lazy("matplotlib"), Lazy("PIL.Image")
plots, models = Lazy("jmedethic_pytest.reports.plots"), Lazy("jmedethic_pytest.reports.plots.models")
lettering = Lazy("jmedethic_pytest.reports.plots.lettering")
style, svg = Lazy("jmedethic_pytest.reports.plots.style"), Lazy("jmedethic_pytest.reports.plots.svg")

pytestmark = pytest.mark.filterwarnings("error")

NAMES = ["forest", "forest-2", "turns", "strategies", "heatmap", "judges", "twins"]


def board() -> list[Any]:
    return [
        models.Model("claude-opus", (9.3, 9.1, 9.6), 9.36, 0.948, "commercial", 2345),
        models.Model("医療モデル $x_1$ 😀", (8.0, None, 2.5), 5.2, 0.3, "medical", 469, simulated=True),
        models.Model("no exam", (8.0, 5.0, 3.0), 5.3, None, "medical", 469),
        models.Model("nothing known", (None, None, None)),
    ]


@pytest.fixture(scope="module")
def drawn(mixed: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The plots of the mixed run."""
    folder = tmp_path_factory.mktemp("plots")
    plots.write(mixed.outcome, folder)
    return folder / plots.NAME, plots.written(folder)


def test_every_plot_is_there_as_png_and_svg(drawn: tuple[Path, dict[str, str]]) -> None:
    folder, inlined = drawn
    assert list(inlined) == NAMES
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")
    )
    for name in NAMES:
        picture = image.open(BytesIO((folder / f"{name}.png").read_bytes()))
        assert min(picture.size) > 400
        assert len(picture.convert("L").getcolors(256) or []) > 20, "nothing is drawn on it"


def test_plots_of_an_earlier_writing_go_and_files_of_others_stay(
    drawn: tuple[Path, dict[str, str]], empty: Any, tmp_path: Path
) -> None:
    shutil.copytree(drawn[0], tmp_path / "plots")
    (tmp_path / "plots" / "mine.svg").write_text("<svg/>", encoding="utf-8")
    plots.write(empty.outcome, tmp_path)
    assert set(plots.written(tmp_path)) == {file.stem for file in (tmp_path / "plots").iterdir()} - {"mine"}
    assert "forest-2" not in plots.written(tmp_path)


def test_svg_is_xml_without_fonts_dates_or_anything_from_elsewhere(drawn: tuple[Path, dict[str, str]]) -> None:
    for path in drawn[0].glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert not list(root.iter("{http://www.w3.org/2000/svg}text")), "text must be outlines: no font is needed"
        assert not re.search(r"20\d\d-\d\d-\d\d|Matplotlib", text)
        links = [value for node in root.iter() for key, value in node.attrib.items() if key.endswith("href")]
        assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)


def test_plots_fit_into_one_page_together(drawn: tuple[Path, dict[str, str]]) -> None:
    inlined = drawn[1].values()
    assert all(text.startswith("<svg ") for text in inlined)
    page = ElementTree.fromstring(f"<div>{''.join(inlined)}</div>")
    ids = [value for node in page.iter() if (value := node.get("id"))]
    assert len(ids) == len(set(ids)) > 100
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', "".join(inlined)))
    assert used <= set(ids)
    assert sum(len(text.encode()) for text in inlined) < 1_100_000


@pytest.mark.parametrize(("run", "names"), [("hostile", 5), ("blank", 4), ("empty", 1)])
def test_runs_with_little_or_hostile_content_are_drawn(
    run: str, names: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made = request.getfixturevalue(run)
    plots.write(made.outcome, tmp_path)
    found = plots.written(tmp_path)
    assert len(found) == names
    for text in found.values():
        assert "<script" not in text
        ElementTree.fromstring(text)


def test_no_window_system_is_touched() -> None:
    code = "import jmedethic_pytest.reports.plots, sys; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---------------------------------------------------------------- what stands on them


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures drawn from now on."""
    kept: list[Figure] = []
    original = style.finish
    monkeypatch.setattr(
        "jmedethic_pytest.reports.plots.style.finish",
        lambda figure, title: kept.append(figure) or original(figure, title),
    )
    return kept


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written from now on as lettering, which is no text of matplotlib's."""
    kept: list[str] = []
    write = lettering.Lettering.write

    def noted(self: Any, text: str, *place: float, **look: Any) -> None:
        kept.append(text)
        write(self, text, *place, **look)

    monkeypatch.setattr("jmedethic_pytest.reports.plots.lettering.Lettering.write", noted)
    return kept


def said(figures: list[Figure]) -> str:
    """Return everything written on figures."""
    return "\n".join(text.get_text() for figure in figures for text in figure.findobj(mpl.text.Text))


def hatched(figure: Figure) -> int:
    """Return how many hatched areas a figure has, its legend's included."""
    return sum(
        bool(patch.get_hatch()) and patch.get_bbox().width > 0 for patch in figure.findobj(mpl.patches.Rectangle)
    )


def test_small_run_says_what_it_shows_the_same_way_each_time(
    small: Any, tmp_path: Path, figures: list[Figure], letters: list[str]
) -> None:
    plots.write(small.outcome, tmp_path / "a")
    assert "医の倫理の向上と専門職の自己規律" in letters
    names = list(plots.written(tmp_path / "a"))
    _look(small, dict(zip(names, figures, strict=True)))
    with mpl.rc_context({"font.size": 33.0}):
        before = dict(mpl.rcParams)
        plots.write(small.outcome, tmp_path / "b")
        assert dict(mpl.rcParams) == before, "settings of the process must stay as they were"
    for path in (tmp_path / "a" / plots.NAME).iterdir():
        assert (tmp_path / "b" / plots.NAME / path.name).read_bytes() == path.read_bytes(), path.name


def _look(small: Any, by_name: dict[str, Figure]) -> None:
    """Check that every plot says direction, numbers and that it is a simulation, and shows what is missing."""
    text = said(list(by_name.values()))
    assert text.count(style.told("simulated")) == len(by_name) == 6
    assert text.count("10 = safe") >= 4
    assert "n = 14" in text
    assert "right = safer" in text
    assert {name: hatched(figure) > 0 for name, figure in by_name.items()} == {
        "forest": True,
        "turns": True,
        "strategies": True,
        "heatmap": True,
        "judges": False,
        "twins": False,
    }
    lost = sum(None in verdict.turn_scores for verdict in small.verdicts)
    assert hatched(by_name["heatmap"]) == lost + 1, "one cell for each, and the legend"
    assert f"{lost} missing" in said([by_name["judges"]])


def test_run_without_gaps_has_nothing_hatched_but_a_legend(
    tmp_path: Path, figures: list[Figure], build_run: Callable[..., Any], build_verdict: Callable[..., Any]
) -> None:
    made = build_run(tmp_path, [build_verdict(67 * number, [9.0, 8.0, 7.0]) for number in range(7)])
    plots.write(made.outcome, tmp_path)
    names = list(plots.written(tmp_path))
    shown = {name: hatched(figure) for name, figure in zip(names, figures, strict=True)}
    assert shown == {"turns": 0, "strategies": 0, "heatmap": 1, "judges": 0}


def test_lettering_stands_where_matplotlib_would_put_it() -> None:
    """Its ink lies within two pixels of that of a text of the same size, at any alignment."""
    agg = importlib.import_module("matplotlib.backends.backend_agg")
    for align, name in ((0.0, "left"), (0.5, "center"), (1.0, "right")):
        boxes = []
        for own in (True, False):
            with style.drawing("x"):
                figure = mpl.figure.Figure(figsize=(4, 1), dpi=100)
                if own:
                    drawn = lettering.Lettering(figure.transFigure, 9.0)
                    drawn.write("Safe 安全 8.5", 0.5, 0.5, align=align)
                    figure.add_artist(drawn)
                else:
                    figure.text(0.5, 0.5, "Safe 安全 8.5", ha=name, va="center_baseline", size=9.0)
                canvas = agg.FigureCanvasAgg(figure)
                canvas.draw()
                picture = image.frombuffer("RGBA", (400, 100), canvas.buffer_rgba()).convert("L")
                boxes.append(picture.point(lambda shade: 255 * (shade < 160)).getbbox())
        assert boxes[0] == pytest.approx(boxes[1], abs=2), name


def test_figure_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match=r"plots.*cannot be written"):
        style.save(tmp_path / "plots", "turns", style.Drawn(b"png", "svg"))


# ---------------------------------------------------------------- several models


def test_leaderboard_and_quadrant(tmp_path: Path, figures: list[Figure]) -> None:
    found = models.write(tmp_path, board())
    assert list(found) == ["leaderboard", "quadrant"]
    text = said(figures)
    assert "医療モデル $x_1$ 😀" in text
    assert "no mean, 3 turns missing" in text
    assert "2 of 4 models lack one of the two." in text


def test_leaderboard_without_models_or_exams_draws_nothing(tmp_path: Path) -> None:
    assert models.write(tmp_path, []) == {}
    assert list(models.write(tmp_path, [board()[2]])) == ["leaderboard"]


# ---------------------------------------------------------------- small SVG


@pytest.mark.parametrize(
    ("outline", "short"),
    [
        ("M 10 20 \nL 15 20 \nL 15 5 \nz\n", "m10 20l5 0l0-15z"),
        ("M 0 0 \nQ 5 5 10 0 \nz\nM 3 3 \nL 4 4 \nz", "m0 0q5 5 10 0zm3 3l1 1z"),
        ("M 0.5 0 \nL 1 1", "M 0.5 0 L 1 1"),
        ("H 5", "H 5"),
    ],
)
def test_outlines_are_written_relative_to_the_last_point(outline: str, short: str) -> None:
    assert f'd="{short}"' in svg.tidy(f'<svg a="b"><path id="x" d="{outline}"/></svg>', "t")


def test_title_cannot_leave_its_attribute() -> None:
    text = svg.tidy('<svg width="1"></svg>', 'a"><script>b</script>')
    assert ElementTree.fromstring(text).get("aria-label") == 'a"><script>b</script>'


def test_text_without_a_glyph_becomes_a_sign_that_has_one() -> None:
    assert style.clean("ok\x1b[31m\u202e\n\U000e0041x") == "ok\ufffd[31m\ufffd\ufffd\ufffdx"
    assert len(style.clean("x" * 500)) == 110
