"""Every picture of a run, as PNG and SVG. The leaderboard's pictures stand in :mod:`.models`.

What draws is an extra: a fifth of a full installation, and no figure or answer needs it. It is loaded where it draws.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.reports.plots import kept, svg

if TYPE_CHECKING:
    from pandas import DataFrame

    from jmedethic_pytest.gate.outcome import Outcome
    from jmedethic_pytest.reports.plots import style

NAME = "plots"
"""The folder inside a run's folder."""
Draw = Callable[[], "style.Drawn | None"]
_ORDER = ("forest", "turns", "survival", "strategies", "heatmap", "judges", "twins")
"""The plots as a reader wants them; there is a forest for each baseline."""
_FILE = re.compile(rf"({'|'.join(_ORDER)})(?:-(\d+))?\.(?:png|svg)")


def there() -> bool:
    """Tell whether what draws is installed."""
    return all(find_spec(name) for name in ("matplotlib", "matplotlib_fontja", "PIL"))


def require() -> None:
    """Check that what draws is installed.

    Raises:
        ConfigError: saying how to install it.
    """
    if not there():
        raise ConfigError("plots need matplotlib. Next: pip install 'jmedethic-pytest[plots]'")


def write(outcome: Outcome, folder: Path) -> None:
    """Write the plots of a run that have something to show, and take away those of an earlier writing.

    Those of a run that was resumed to the same figures are copied (:mod:`.kept`).

    Args:
        outcome: the run.
        folder: ``plots/<name>.png`` and ``.svg`` go there.

    Raises:
        ConfigError: if what draws is not installed.
        StoreError: if a file cannot be written.
    """
    for old in _files(folder):
        old.unlink()
    require()
    stored = folder == outcome.path and folder.parent.name == "runs"
    digest = kept.made_of(outcome) if stored else ""
    if stored and kept.take(digest, folder, NAME):
        return
    from jmedethic_pytest.reports.plots import style

    made: dict[str, bytes] = {}
    for name, draw in _plots(outcome, outcome.scores().frame()):
        with style.drawing(name):
            drawn = draw()
        if drawn is not None:
            made |= style.save(folder / NAME, name, drawn)
    if stored:
        kept.note(digest, folder, made)


def written(folder: Path) -> dict[str, str]:
    """Return the plots in a run's folder as SVG elements by name, in a reader's order; no two share an id."""
    files = (file for file in _files(folder) if file.suffix == ".svg")
    return {file.stem: svg.inline(file.read_text(encoding="utf-8"), file.stem) for file in files}


def _files(folder: Path) -> list[Path]:
    found = {file: _FILE.fullmatch(file.name) for file in (folder / NAME).glob("*")}
    places = {file: (_ORDER.index(name[1]), int(name[2] or 1)) for file, name in found.items() if name}
    return sorted(places, key=places.__getitem__)


def _plots(outcome: Outcome, frame: DataFrame) -> Iterator[tuple[str, Draw]]:
    from jmedethic_pytest.reports.plots import forest, heatmap, judges, scores, survival, twins

    summary, simulated, known = outcome.summary, outcome.info.simulated, outcome.info.words
    is_twin = frame["twin"].astype(bool)
    rows, twin_rows = frame[~is_twin], frame[is_twin]
    cases = _cases(rows)
    for number, comparison in enumerate(outcome.comparisons):
        name = f"forest-{number + 1}" if number else "forest"
        yield name, lambda comparison=comparison: forest.endpoints(comparison, simulated=simulated)  # type: ignore[misc]
    yield "turns", lambda: scores.by_turn(summary, rows, simulated=simulated)
    yield "survival", lambda: survival.still_safe(summary.survival, simulated=simulated)
    yield "strategies", lambda: scores.by_strategy(rows, cases, known, simulated=simulated)
    yield "heatmap", lambda: heatmap.guideline_by_strategy(cases, known, simulated=simulated)
    yield "judges", lambda: judges.agreement(outcome, frame, simulated=simulated)
    yield "twins", lambda: twins.over_refusal(outcome, twin_rows, simulated=simulated)


def _cases(rows: DataFrame) -> DataFrame:
    """Return one row per evaluation with mean and minimum over its turns, missing if any turn is."""
    grouped = rows.groupby(["key", "guideline", "strategy"], sort=True)["value"]
    cases = grouped.agg(mean="mean", min="min", known="count", planned="size").reset_index()
    cases.loc[cases["known"] < cases["planned"], ["mean", "min"]] = float("nan")
    return cases
