"""``jmedethic report``: the pages people look at, written again from a stored run."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest.cli.app import Reports, RunName, app, err, out
from jmedethic_pytest.cli.baseline import Baselines, chosen_baselines
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.run import baseline_lookup
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.baselines import Baseline

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome


@app.command("report")
def report(
    run: RunName = "latest",
    baseline: Baselines = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser")] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Write report.html, tables and plots of a stored run. Content warning: the page holds the model's replies.

    Nothing else is written: the run's figures and its gate.json stay what they were.
    """
    from jmedethic_pytest.gate.outcome import load
    from jmedethic_pytest.reports import files, page

    path = run_files.find_run(reports, run)
    chosen = chosen_baselines(reports, baseline)
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path, baselines=chosen)
    with err.status("Drawing plots and writing report.html ..."):
        notes = files.write_reports(replace(outcome, beside=_beside(outcome, chosen)))
    if notes:
        raise StoreError("; ".join(notes))
    out.print(str(path / page.NAME))
    if show and not webbrowser.open((path / page.NAME).as_uri()):
        err.print("No browser could be opened; open the file above by hand.")


def _beside(outcome: Outcome, chosen: Sequence[Baseline] | None) -> Callable[[Verdict], Verdict] | None:
    """Return what adds the first chosen baseline's scores to a verdict; ``None`` keeps those stored with it."""
    from jmedethic_pytest.gate.outcome import stored_rules

    if chosen is None:
        return None
    if not chosen or outcome.comparisons[0].obstacles:
        return lambda verdict: verdict.model_copy(update={"baseline": None})
    return baseline_lookup.beside(chosen[0], stored_rules(outcome.path, outcome.info))
