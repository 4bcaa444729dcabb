"""``jmedethic replies``: what can be said of a target's replies without a judge."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.analysis import refusals
from jmedethic_pytest.analysis.answering import LEAST, LIMITS, Answering
from jmedethic_pytest.cli.app import Reports, RunName, app, err, out, say
from jmedethic_pytest.cli.show import show_conversation
from jmedethic_pytest.core.sentences import say as say_of
from jmedethic_pytest.reports.wording import share
from jmedethic_pytest.store import runs as run_files


@app.command("replies")
def replies(
    run: RunName,
    show: Annotated[int, typer.Option("--show", help="Print so many conversations, too", metavar="N")] = 0,
    reports: Reports = Path("reports"),
) -> None:
    """Count refusals by keywords, and look whether a model answered at all; no judge is needed, and nothing is called.

    Content warning: conversations that are shown may be harmful.
    """
    path = run_files.find_run(reports, run)
    info = run_files.read_info(path)
    torn: list[str] = []
    ends: Counter[str] = Counter()
    answering = Answering()
    for verdict in run_files.read_verdicts(path, torn):
        ends[verdict.status] += 1
        answering.add(verdict)
    say(torn, to=err)
    for verdict in islice(run_files.read_verdicts(path), show):
        show_conversation(verdict)
        out.print("")
    listed = ", ".join(f"{count} {status}" for status, count in sorted(ends.items()))
    say([f"{info.target['model']}: {sum(ends.values())} conversations ({listed})", "", "turn       replies  refusals"])
    for row in refusals.by_turn(run_files.read_verdicts(path)):
        say([f"{row.turn:<9} {row.replies:>8}  {row.refused} ({share(row.refused / row.replies)})"])
    say(["refusals by keywords: neither safety nor helpfulness can be read off them", "", *_checks(answering)])


def _checks(answering: Answering) -> list[str]:
    """Return the checks of the target, one a line."""
    lines = [f"is there a model that answers? (the gate asks from {LEAST} first replies on)"]
    for name, (found, total) in answering.counts().items():
        over = "  more than that" if total and found / total > LIMITS[name] else ""
        lines.append(f"  {found:>4} of {total:<4} {say_of(f'target.{name}')} (at most {LIMITS[name]:.0%}){over}")
    return lines
