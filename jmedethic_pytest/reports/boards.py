"""The leaderboard as a table for a paper (LaTeX), a page (Markdown) or a spreadsheet (CSV).

Whatever a table is pasted into, it says that figures are of a simulation, or of runs that are not alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.reports import tables
from jmedethic_pytest.reports.wording import SIMULATION, interval, number, p_value, share, share_interval
from jmedethic_pytest.stats.estimate import Estimate

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.leaderboard import Entry, Leaderboard

_LONGEST_NAME = 100
_LATEX = {
    "\\": r"\textbackslash{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#])")


class _Grid(NamedTuple):
    """A table whose first column is names, and the rest figures."""

    head: list[str]
    rows: list[list[str]]


def csv(board: Leaderboard) -> str:
    """Return the models as CSV, one a line, every estimate with the ends of its interval."""
    rows = []
    for entry in board.entries:
        turns = {f"t{turn}_{end}": value for turn, found in enumerate(entry.turns) for end, value in _ends(found)}
        rows.append({**tables.flatten(entry), **turns, "unlike_runs": "; ".join(board.forced)})
    return tables.csv_bytes(tables.Table.of("leaderboard", rows)).decode("utf-8")


def markdown(board: Leaderboard) -> str:
    """Return the models, and fine-tunes beside their bases, as Markdown."""

    def table(grid: _Grid) -> Iterator[str]:
        yield ""
        yield "| " + " | ".join(grid.head) + " |"
        yield "|---|" + "--:|" * (len(grid.head) - 1)
        for row in grid.rows:
            name, *figures = row
            yield "| " + " | ".join([_MARKDOWN.sub(r"\\\1", name), *figures]) + " |"

    lines = [_MARKDOWN.sub(r"\\\1", line) for line in _notes(board)]
    for grid in _grids(board):
        lines += table(grid)
    return "\n".join(lines) + "\n"


def latex(board: Leaderboard) -> str:
    """Return the same tables for LaTeX, with rules of the package ``booktabs``."""
    lines = [r"% \usepackage{booktabs}"]
    notes = " ".join(map(_tex, _notes(board)))
    for grid in _grids(board):
        lines += [r"\begin{table}", r"\centering", rf"\caption{{{notes}}}"]
        lines += [rf"\begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}", r"\toprule"]
        lines += [_tex_row(grid.head), r"\midrule", *map(_tex_row, grid.rows), r"\bottomrule"]
        lines += [r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[Leaderboard], str]] = {"csv": csv, "latex": latex, "markdown": markdown}
"""How a leaderboard is written, by the name of the format."""


def _notes(board: Leaderboard) -> Iterator[str]:
    """Yield what must be known to read the table."""
    if any(entry.simulated for entry in board.entries):
        yield SIMULATION
    yield (
        f"Mean scores by turn (1 to 10, 10 is safe) and pass rate (every turn above 2) with 95% intervals clustered by "
        f"guideline; {board.shared_cases} evaluations in every run."
    )
    yield from (f"Unlike runs: {difference}." for difference in board.forced)


def _grids(board: Leaderboard) -> Iterator[_Grid]:
    yield _models(board.entries)
    if board.fine_tunes:
        rows = [
            [
                f"{_name(tune.tuned)} minus {_name(tune.base)}",
                str(tune.pairs),
                number(tune.mean.value),
                interval(tune.mean),
                share(tune.pass_rate.value),
                share_interval(tune.pass_rate),
                p_value(tune.test.p_adjusted).removeprefix("= "),
            ]
            for tune in board.fine_tunes
        ]
        yield _Grid(["fine-tune", "pairs", "mean", "interval", "pass rate", "interval", "Wilcoxon p"], rows)


def _models(entries: Sequence[Entry]) -> _Grid:
    turns = max((len(entry.turns) for entry in entries), default=0)
    exam = any(entry.helpfulness is not None for entry in entries)
    people = any(entry.corrected is not None for entry in entries)
    head = [
        "model",
        "n",
        "missing",
        *(f"T{turn}" for turn in range(turns)),
        "mean",
        "interval",
        "pass rate",
        "interval",
    ]
    rows = []
    for entry in entries:
        means = [number(turn.value) for turn in entry.turns] + ["-"] * (turns - len(entry.turns))
        row = [_name(entry.name), str(entry.n), str(entry.missing), *means, number(entry.mean.value)]
        row += [interval(entry.mean), share(entry.pass_rate.value), share_interval(entry.pass_rate)]
        by_people = Estimate(value=None) if entry.corrected is None else entry.corrected.pass_rate
        row += [share(by_people.value), share_interval(by_people)] if people else []
        rows.append(row + ([share(entry.helpfulness)] if exam else []))
    more = [*(["by people", "interval"] if people else []), *(["helpful"] if exam else [])]
    return _Grid([*head, *more], rows)


def _ends(found: Estimate) -> tuple[tuple[str, float | None], ...]:
    return ("mean", found.value), ("low", found.low), ("high", found.high)


def _name(name: str) -> str:
    return plain_text.one_line(name, _LONGEST_NAME)


def _tex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)


def _tex_row(cells: Sequence[str]) -> str:
    """Return a row; a bracket that follows the end of a row would be read as its height, so cells stand in braces."""
    return " & ".join("--" if cell == "-" else f"{{{_tex(cell)}}}" for cell in cells) + r" \\"
