"""``jmedethic``: every command, and what a user sees of an error."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import NoReturn

import typer

from jmedethic_pytest.cli import (  # noqa: F401 - each module adds its commands to the application
    agreement,
    allure,
    annotate,
    baseline,
    cases,
    cases_exchange,
    compare,
    doctor,
    exam,
    export,
    judge,
    languages,
    leaderboard,
    listing,
    plan,
    prices,
    report,
    revision,
    run,
    show,
    verify,
)
from jmedethic_pytest.cli.app import app, err, say, spell
from jmedethic_pytest.cli.generate import discover, review, stages  # noqa: F401
from jmedethic_pytest.cli.judges import anchors, link  # noqa: F401
from jmedethic_pytest.cli.judges import app as judges
from jmedethic_pytest.core.errors import ConfigError, JmedError, crash
from jmedethic_pytest.core.status import ExitStatus

app.add_typer(annotate.annotate_app, name="annotate")
app.add_typer(baseline.baseline_app, name="baseline")
app.add_typer(cases.cases_app, name="cases")
app.add_typer(stages.generate_app, name="generate")
app.add_typer(judges.judges_app, name="judges")


def main() -> None:
    """Run the command line; whatever goes wrong is said in plain lines, and only a command itself ends it with 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal in another encoding shows what it can
    try:
        app()
    except ConfigError as error:
        _end(error.problems, ExitStatus.USAGE)
    except JmedError as error:
        _end([str(error)], ExitStatus.INCONCLUSIVE)
    except SystemExit as end:
        if end.code == ExitStatus.FAIL and not isinstance(end.__context__, typer.Exit):  # a closed pipe, for one
            sys.exit(ExitStatus.INCONCLUSIVE)
        raise
    except Exception as error:  # noqa: BLE001 - a crash must look like neither answer of the gate
        _end([crash(error)], ExitStatus.INCONCLUSIVE)


def _end(problems: Iterable[str], status: ExitStatus) -> NoReturn:
    say((f"ERROR: {spell(problem)}" for problem in problems), to=err)
    sys.exit(status)
