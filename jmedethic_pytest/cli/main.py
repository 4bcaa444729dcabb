"""``jmedethic``: every command, and what a user sees of an error."""

from __future__ import annotations

import sys

from jmedethic_pytest.cli import (  # noqa: F401 - each module adds its commands to the application
    agreement,
    allure,
    baseline,
    cases,
    cases_exchange,
    compare,
    doctor,
    exam,
    export,
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
from jmedethic_pytest.cli.app import app, spell
from jmedethic_pytest.cli.generate import discover, review, stages  # noqa: F401
from jmedethic_pytest.core.errors import ConfigError, JmedError
from jmedethic_pytest.core.status import ExitStatus

app.add_typer(baseline.baseline_app, name="baseline")
app.add_typer(cases.cases_app, name="cases")
app.add_typer(stages.generate_app, name="generate")


def main() -> None:
    """Run the command line; what the user can mend is said in plain lines, never as a traceback."""
    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"ERROR: {spell(problem)}\n")
        sys.exit(ExitStatus.USAGE)
    except JmedError as error:
        sys.stderr.write(f"ERROR: {spell(str(error))}\n")
        sys.exit(ExitStatus.INCONCLUSIVE)
