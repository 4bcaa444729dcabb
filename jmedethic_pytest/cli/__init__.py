"""The ``jmedethic`` command: the same engine and store without pytest."""

from __future__ import annotations

import sys

from jmedethic_pytest.errors import ConfigError, JmedError


def spell(text: str) -> str:
    """Write pytest's option names as this command spells them."""
    return text.replace("--jmed-", "--")


def main() -> None:
    """Run the command line; what the user can mend is said in plain lines, never as a traceback."""
    from jmedethic_pytest.cli.app import app

    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"ERROR: {spell(problem)}\n")
        sys.exit(4)
    except JmedError as error:
        sys.stderr.write(f"ERROR: {spell(str(error))}\n")
        sys.exit(6)
