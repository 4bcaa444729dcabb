"""The files a finished run leaves behind besides its verdicts, in the order of their worth.

The figures must be written. What people look at (tables, plots, ``report.html``) comes after the gate's answer has been
told, as it takes seconds. It may fail, on a full disk for one: that costs the file and a note, never the answer;
``jmedethic report`` writes it again from the store.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from jmedethic_pytest.analysis.noninferiority.records import Comparisons
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import ci, markdown
from jmedethic_pytest.store.runs import RunStore

_TEXTS: dict[str, Callable[[Outcome], str]] = {
    "summary.md": markdown.render,
    "comment.md": markdown.comment,
    "metrics.txt": ci.metrics,
}
"""Texts that say what the gate's answer is."""
_FIGURES = ("summary.json", "gate.json", "comparison.json", *_TEXTS)
"""Files that say it: all of them are written, or none stays."""


class Report(Protocol):
    """A module that writes something to look at."""

    NAME: str
    """Name of its file or folder."""

    def write(self, outcome: Outcome, folder: Path) -> object:
        """Write it into a run's folder."""


def reports() -> tuple[Report, ...]:
    """Return what people look at, in the order of writing; it is loaded here, for matplotlib takes a second."""
    from jmedethic_pytest.reports import page, plots, tables

    return tables, plots, page


def write(outcome: Outcome, store: RunStore) -> None:
    """Write the figures of a run; ``run.json`` comes last, so that it never promises a file in vain.

    Raises:
        StoreError: if they cannot be written.
    """
    try:
        _write_figures(outcome, store)
        store.write_info(outcome.info)
    except StoreError:
        store.withdraw(_FIGURES)
        raise


def draw(outcome: Outcome, store: RunStore) -> Outcome:
    """Write what people look at; of a collection there is nothing to draw.

    Returns:
        The outcome, with a note for everything that could not be written.
    """
    notes = [] if outcome.collected else write_reports(outcome)
    if notes:
        note = "; ".join([outcome.info.note, *notes] if outcome.info.note else notes)
        outcome = replace(outcome, info=outcome.info.model_copy(update={"note": note}))
        with suppress(StoreError):  # on the same full disk; the terminal says it
            store.write_info(outcome.info)
    return outcome


def _write_figures(outcome: Outcome, store: RunStore) -> None:
    store.write_json("summary.json", outcome.summary)
    store.write_json("gate.json", outcome.gate)
    if outcome.comparisons:
        store.write_json("comparison.json", Comparisons(comparisons=outcome.comparisons))
    for name, text in _TEXTS.items():
        store.write_text(name, text(outcome))


def write_reports(outcome: Outcome) -> list[str]:
    """Write all :func:`reports` that can be written into the run's folder.

    Returns:
        A note for each that could not be.
    """
    outcome = replace(outcome, table=outcome.scores())
    return [note for report in reports() if (note := _attempt(report, outcome))]


def _attempt(report: Report, outcome: Outcome) -> str:
    """Write a report, and return why it could not be written, if so."""
    try:
        report.write(outcome, outcome.path)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a report, the gate's answer stands
        reason = str(error) or type(error).__name__
        return f"{report.NAME} could not be written ({reason}); try again with `jmedethic report {outcome.info.id}`"
    return ""
