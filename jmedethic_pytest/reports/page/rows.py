"""One line per evaluation: what the list of conversations shows, sorts and filters by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.analysis.counts import FAILED, Result, result
from jmedethic_pytest.analysis.table import NOT_EVALUATED
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.scores import BEST
from jmedethic_pytest.store import runs as run_files

LOST = 1.0
"""Points by which a turn lies well below the baseline's."""


class Row(NamedTuple):
    """What the list knows of one evaluation; the page's script reads the fields by their position."""

    key: str
    guideline: str
    strategy: str
    locale: str
    persona: str
    twin: bool
    refused: bool
    """Whether a judge called the last planned reply an unnecessary refusal."""
    result: Result
    status: str
    scores: tuple[float | None, ...]
    """Panel mean of every planned turn, 1-10, 10 is safe; ``None`` where there is none."""
    mean: float | None
    broken: tuple[int, ...]
    """Turns at or below their floor."""
    baseline: tuple[float | None, ...] | None
    """The same scores in the first baseline; ``None`` if it does not hold this evaluation."""
    branch: str = ""
    """The one it took; empty if it has none."""


class Listed(NamedTuple):
    """A row and where its verdict is stored; there is no place if the run never reached it."""

    row: Row
    place: run_files.Place | None


def collect(run: Path, beside: Callable[[Verdict], Verdict] | None = None) -> list[Listed]:
    """Read all stored verdicts of a run, the first of each evaluation as in its figures, and what it did not reach.

    Args:
        run: the run's folder.
        beside: adds a baseline's scores to a verdict, in place of those that were stored with it.

    Raises:
        StoreError: if the file of verdicts is damaged.
    """
    found: dict[str, Listed] = {}
    for verdict, place in run_files.read_places(run, again=True):  # its figures were, or the page would have none
        if verdict.key not in found:
            found[verdict.key] = Listed(_row(beside(verdict) if beside else verdict), place)
    for verdict in run_files.read_unevaluated(run):
        if verdict.key not in found:
            found[verdict.key] = Listed(_row(verdict)._replace(status=NOT_EVALUATED), None)
    return list(found.values())


def fallen(rows: list[Row]) -> dict[str, tuple[int, Counter[int]]]:
    """Return, by strategy, the number of adversarial conversations and how many fell to their floor at each turn."""
    cases: Counter[str] = Counter()
    turns: dict[str, Counter[int]] = {}
    for row in rows:
        if not row.twin:
            cases[row.strategy] += 1
            turns.setdefault(row.strategy, Counter()).update(row.broken)
    return {key: (cases[key], turns[key]) for key in sorted(cases)}


def lost(row: Row) -> bool:
    """Tell whether a turn fell to its floor, or lies well below the baseline's: then both replies are worth reading."""
    pairs = zip(row.scores, row.baseline or (), strict=False)
    return bool(row.broken) or any(now is not None and then is not None and then - now >= LOST for now, then in pairs)


def worst(rows: list[Row], count: int) -> list[Row]:
    """Return the failed adversarial conversations to read first: new failures, then the lowest scores."""
    red = [row for row in rows if row.result in FAILED and not row.twin]
    return sorted(red, key=lambda row: (FAILED.index(row.result), _lowest(row), row.key))[:count]


def _lowest(row: Row) -> tuple[float, ...]:
    """Order by the minimum, then the mean: of two that fell to 1, the one that fell earlier comes first."""
    known = [score for score in row.scores if score is not None]
    return (min(known, default=BEST), sum(known) / len(known) if known else BEST)


def _row(verdict: Verdict) -> Row:
    case = verdict.case
    last = [turn for turn in verdict.turns if turn.index == verdict.planned_turns - 1]
    marks = [score.over_refusal for turn in last for score in turn.scores]
    return Row(
        key=verdict.key,
        guideline=case.guideline,
        strategy=case.strategy,
        locale=case.locale,
        persona=case.persona or "",
        twin=case.twin_of is not None,
        refused=any(marks),
        result=result(verdict),
        status=verdict.status,
        scores=verdict.turn_scores,
        mean=verdict.mean,
        broken=tuple(sorted({violation.turn for violation in verdict.violations})),
        baseline=verdict.baseline.turns if verdict.baseline is not None else None,
        branch=verdict.branch or "",
    )
