"""pytest and ``jmedethic``, forked from a process that has imported everything already but run nothing.

A bare pytest spends two seconds of CPU on imports. Runs that are to be sent signals are started afresh instead.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

import pytest

Program = Literal["pytest", "jmedethic"]

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "pytest",
        "xdist.plugin",
        "pytest_asyncio.plugin",
        "allure_pytest.plugin",
        "pandas.core.groupby",
        "execnet",
        "multiprocessing.connection",
        "openai",
        "jinja2",
        "jmedethic_pytest.run.running",
        "jmedethic_pytest.pytest_plugin.session",
        "jmedethic_pytest.run.prepare",
        "jmedethic_pytest.gate.conditions",
        "jmedethic_pytest.reports.allure",
    ]
)
_REWRITE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The helper has imported the plugins before pytest could rewrite their asserts; that matters to nobody."""


def start(
    program: Program, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: Path
) -> BaseProcess:
    """Start a program in a folder, in a process group of its own; both its streams go to a file."""
    process = _SERVER.Process(
        target=_become, args=(program, list(arguments), str(folder), dict(environment), str(output))
    )
    process.start()
    return process


def _become(program: Program, arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    stdin, out = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((stdin, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    if program == "pytest":
        sys.argv = [program, *_REWRITE, *arguments]
        sys.exit(int(pytest.main()))
    from jmedethic_pytest.cli.main import main

    sys.argv = [program, *arguments]
    main()
