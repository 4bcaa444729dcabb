"""The files a finished run leaves behind besides its verdicts, in the order of their worth.

The figures must be written. What people look at (tables, plots, ``report.html``) may fail, on a full disk for one: that
costs the file and a note, never the gate's answer; ``jmedethic report`` writes it again from the store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from jmedethic_pytest.analysis.noninferiority.records import Comparisons
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.judging.verdict import under
from jmedethic_pytest.reports import ci, markdown
from jmedethic_pytest.reports.wording import PAGE
from jmedethic_pytest.store import runs as run_store
from jmedethic_pytest.store.runs import RunStore

TABLES, PLOTS = "tables", "plots"
"""Folders inside a run's folder."""
_FIGURES = ("summary.json", "gate.json", "comparison.json", "summary.md", "comment.md", "metrics.txt")
"""Files that say what the gate's answer is: all of them are written, or none stays."""


def write(outcome: Outcome, store: RunStore, *, full: bool, table: ScoreTable | None = None) -> Outcome:
    """Write the files of a run; ``run.json`` comes last, so that it never promises a file in vain.

    Args:
        outcome: the run.
        store: where it is stored.
        full: whether tables, plots and ``report.html`` are wanted.
        table: the scores behind the outcome if they are at hand; else they are read from the store.

    Returns:
        The outcome, with a note for every report that could not be written.

    Raises:
        StoreError: if the figures cannot be written.
    """
    try:
        _write_figures(outcome, store)
    except StoreError:
        store.withdraw(_FIGURES)
        raise
    notes = write_reports(outcome, table) if full else []
    if notes:
        note = "; ".join([outcome.info.note, *notes] if outcome.info.note else notes)
        outcome = replace(outcome, info=outcome.info.model_copy(update={"note": note}))
    try:
        store.write_info(outcome.info)
    except StoreError:
        store.withdraw((*_FIGURES, PAGE))
        raise
    return outcome


def _write_figures(outcome: Outcome, store: RunStore) -> None:
    store.write_json("summary.json", outcome.summary)
    store.write_json("gate.json", outcome.gate)
    if outcome.comparisons:
        store.write_json("comparison.json", Comparisons(comparisons=outcome.comparisons))
    store.write_text("summary.md", markdown.render(outcome))
    store.write_text("comment.md", markdown.comment(outcome))
    store.write_text("metrics.txt", ci.metrics(outcome))


def write_reports(
    outcome: Outcome, table: ScoreTable | None = None, beside: Callable[[Verdict], Verdict] | None = None
) -> list[str]:
    """Write tables, plots and ``report.html``, as many of them as can be written.

    Args:
        outcome: the run.
        table: the scores behind it if they are at hand; else they are read from the store.
        beside: adds a baseline's scores to a verdict, in place of those that were stored with it.

    Returns:
        A note for each that could not be written.
    """
    # Matplotlib and the page's template take a second to load: only a run that wants reports pays for it.
    from jmedethic_pytest.reports import page, plots, tables

    path = outcome.path
    scores = table or stored_table(outcome)
    svg: dict[str, str] = {}
    steps: dict[str, Callable[[], object]] = {
        TABLES: lambda: tables.write_csv(path / TABLES, outcome, scores),
        PLOTS: lambda: svg.update(plots.write(path / PLOTS, outcome, scores.frame())),
        page.NAME: lambda: page.write(outcome, svg, beside),
    }
    notes = (_attempt(what, step, outcome.info.id) for what, step in steps.items())
    return [note for note in notes if note]


def stored_table(outcome: Outcome) -> ScoreTable:
    """Return the scores of a stored run, with what it did not reach.

    Raises:
        StoreError: if its verdicts cannot be read.
    """
    stored = (under(verdict, outcome.rules) for verdict in run_store.read_verdicts(outcome.path))
    table = ScoreTable(stored, outcome.info.words, outcome.rules.floor_of)
    for verdict in run_store.read_unevaluated(outcome.path):
        table.add_unevaluated(verdict)
    return table


def _attempt(what: str, step: Callable[[], object], run: str) -> str:
    """Take a step, and return why it failed, if it did."""
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a report, the gate's answer stands
        reason = str(error) or type(error).__name__
        return f"{what} could not be written ({reason}); try again with `jmedethic report {run}`"
    return ""
