"""``jmedethic cases difficulty``: how hard the conversations were for models that were run on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cases.exchange import writing
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import Force, Reports, err, out
from jmedethic_pytest.cli.cases import Cases, cases_app


@cases_app.command("difficulty")
def difficulty(
    runs: Annotated[list[str], typer.Argument(help="Run ids, parts of them, or paths", metavar="RUN")],
    output: Annotated[Path, typer.Option("--output", help="File to write (JSON), beside the cases", metavar="FILE")],
    cases: Cases = None,
    reports: Reports = Path("reports"),
    force: Force = False,
) -> None:
    """Write how hard each case was for the models of stored runs: mean, spread, number of models. Nothing is called.

    `jmedethic cases stats --difficulty FILE` then holds the writers' tiers against it. Runs must have been judged
    alike; evaluations of texts that have changed since do not count.
    """
    from jmedethic_pytest.analysis import difficulty as measuring

    writing.check_output(output, force=force)
    chosen = list(named_runs.read_runs(reports, runs).values())
    found, left_out = measuring.measure(chosen, CaseIndex.read([cases] if cases else None))
    measuring.write(output, found)
    if found.note:
        err.print(found.note)
    models = len({(item.model, item.revision) for item in found.runs})
    out.print(f"{len(found.cases)} cases, {len(found.runs)} runs, {models} models")
    if left_out:
        out.print(f"{left_out} evaluations are of other texts than the case files hold, and were left out")
    out.print(f"written: {output}")
