"""Every picture of a run, as PNG and SVG. The leaderboard's pictures stand in :mod:`.models`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.reports.plots import forest, heatmap, judges, scores, style, svg, twins

if TYPE_CHECKING:
    from pandas import DataFrame

    from jmedethic_pytest.gate.outcome import Outcome

Draw = Callable[[], style.Drawn | None]


def write(folder: Path, outcome: Outcome, frame: DataFrame) -> dict[str, str]:
    """Write the plots of a run that have something to show, and return them for a page.

    Args:
        folder: where ``<name>.png`` and ``<name>.svg`` go; made if it is not there.
        outcome: the run's figures.
        frame: one row per evaluation and turn (:meth:`jmedethic_pytest.analysis.table.ScoreTable.frame`).

    Returns:
        SVG elements by name, in the order in which a reader wants them. Their ids differ from plot to plot.

    Raises:
        StoreError: if a file cannot be written.
    """
    found: dict[str, str] = {}
    for name, draw in _plots(outcome, frame):
        with style.drawing(name):
            drawn = draw()
        if drawn is not None:
            style.save(folder, name, drawn)
            found[name] = svg.inline(drawn.svg, name)
    return found


def _plots(outcome: Outcome, frame: DataFrame) -> Iterator[tuple[str, Draw]]:
    summary, simulated, known = outcome.summary, outcome.info.simulated, outcome.info.words
    is_twin = frame["twin"].astype(bool)
    rows, twin_rows = frame[~is_twin], frame[is_twin]
    cases = _cases(rows)
    for number, comparison in enumerate(outcome.comparisons):
        name = f"forest-{number + 1}" if number else "forest"
        yield name, lambda comparison=comparison: forest.endpoints(comparison, simulated=simulated)  # type: ignore[misc]
    yield "turns", lambda: scores.by_turn(summary, rows, simulated=simulated)
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
