"""``make test``: pytest, its workers forked from a process that has imported the tests and what they will import.

Each worker would otherwise spend seconds on the same imports, rewrite the same asserts in a fresh checkout, and start a
server of forks of its own.
"""

from __future__ import annotations

import contextlib
import gc
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer.main

import jmedethic_pytest
from jmedethic_pytest.cases.files import load
from jmedethic_pytest.cli.app import app

_TESTS = str(Path(__file__).parents[1])
_OTHERS = (
    "anthropic",
    "docx",
    "huggingface_hub",
    "hypothesis",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "openai",
    "openpyxl",
    "pandas",
    "pingouin",
    "playwright.sync_api",
    "pyarrow.parquet",
    "pytest_asyncio.plugin",
    "pytest_httpserver",
    "pytest_timeout",
    "scipy.stats",
    "statsmodels.api",
    "typer.rich_utils",
    "xdist.dsession",
)
"""What some test needs anyway; one that is not installed skips its tests, or fails them, later."""


def _warm_up() -> None:
    own = (module.name for module in pkgutil.walk_packages(jmedethic_pytest.__path__, "jmedethic_pytest."))
    for name in (*_OTHERS, *(name for name in own if not name.endswith("__main__"))):
        with contextlib.suppress(ImportError):
            import_module(name)
    load()
    typer.main.get_command(app)
    pytest.main(["--collect-only", "-p", "no:terminal", _TESTS])
    gc.freeze()  # while workers collect again, nobody looks through what is imported


def main() -> None:
    """Run pytest with the arguments of the command line."""
    sys.path[0] = _TESTS  # and not this folder, whose modules have names of others
    from support import built, bundled, forked

    sys.path.remove(_TESTS)
    forked.share()
    built.keep()
    bundled.keep()
    forked.unwarned()
    del sys.modules["__main__"].__file__  # or multiprocessing would have every fork run this file
    _warm_up()
    if not forked.spare(forked.workers(sys.argv[1:])):
        sys.exit(int(pytest.main()))


if __name__ == "__main__":
    main()
