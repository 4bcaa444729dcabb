"""``jmedethic``: every command, and what a user sees of an error."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Iterable, Mapping
from typing import NoReturn

import typer

from jmedethic_pytest.cli.app import app, err, say, spell
from jmedethic_pytest.core.errors import ConfigError, JmedError, crash
from jmedethic_pytest.core.garbage import searched_rarely
from jmedethic_pytest.core.status import ExitStatus

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "agreement": ("agreement",),
    "allure": ("allure",),
    "allure-finish": ("allure",),
    "attack": ("attack",),
    "compare": ("compare",),
    "cultures": ("cultures",),
    "gate": ("compare",),
    "doctor": ("doctor",),
    "evidence": ("evidence",),
    "exam": ("exam",),
    "exam-import": ("exam",),
    "export": ("export",),
    "judge": ("judge",),
    "rejudge": ("judge",),
    "languages": ("languages",),
    "leaderboard": ("leaderboard",),
    "list": ("listing",),
    "merge": ("merge",),
    "plan": ("plan",),
    "prices": ("prices",),
    "replies": ("replies",),
    "report": ("report",),
    "revision": ("revision",),
    "robustness": ("robustness",),
    "run": ("run",),
    "show": ("show",),
    "trend": ("trend",),
    "sweep": ("sweep",),
    "verify": ("verify",),
    "annotate": ("annotate",),
    "baseline": ("baseline",),
    "batch": ("batch",),
    "cases": ("cases", "cases_exchange", "cases_difficulty"),
    "generate": ("generate.stages", "generate.discover", "generate.review"),
    "judges": ("judges.app", "judges.link", "judges.anchors", "judges.card"),
    "--version": (),
}
"""The modules that add a command to the application. A command imports no other: all together take half a second."""


def load(first: str = "") -> None:
    """Add the command that a command line begins with to the application; all of them if it begins with none."""
    everything = (module for modules in COMMANDS.values() for module in modules)
    for module in COMMANDS.get(first, everything):
        importlib.import_module(f"jmedethic_pytest.cli.{module}")


def main() -> None:
    """Run the command line; whatever goes wrong is said in plain lines, and only a command itself ends it with 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal in another encoding shows what it can
    try:
        with searched_rarely():  # of what a command imports nothing is garbage
            load(*sys.argv[1:2])
            app()
    except ConfigError as error:
        _end(error.problems, ExitStatus.USAGE)
    except JmedError as error:
        _end([str(error)], ExitStatus.INCONCLUSIVE)
    except SystemExit as end:
        if end.code == ExitStatus.FAIL and not isinstance(end.__context__, typer.Exit):  # a closed pipe, for one
            sys.exit(ExitStatus.INCONCLUSIVE)
        raise
    except KeyboardInterrupt:  # before the command could listen to it
        sys.exit(ExitStatus.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a crash must look like neither answer of the gate
        _end([crash(error)], ExitStatus.INCONCLUSIVE)


def _end(problems: Iterable[str], status: ExitStatus) -> NoReturn:
    say((f"ERROR: {spell(problem)}" for problem in problems), to=err)
    sys.exit(status)
