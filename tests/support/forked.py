"""pytest, ``jmedethic`` and scripts, forked from a process that has imported everything already but run nothing.

A bare pytest spends two seconds of CPU on imports, and so does each of its xdist workers. A forked run leads a process
group of its own and has the signals of a new one: it can be interrupted and killed like one that was started afresh.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook
from _pytest.fixtures import FixtureManager
from execnet import gateway_io
from execnet.gateway_base import Popen2IO

from support import collector

Program = Literal["pytest", "jmedethic", "python"]
PATIENCE = 240.0
"""Seconds after which a hanging program is killed; none comes near it."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "pytest",
        "xdist.plugin",
        "xdist.newhooks",
        "xdist.looponfail",
        "pytest_asyncio.plugin",
        "pytest_timeout",
        "allure_pytest.plugin",
        "_pytest._argcomplete",
        "_pytest.faulthandler",
        "_pytest.helpconfig",
        "_pytest.junitxml",
        "_pytest.pastebin",
        "_pytest.setuponly",
        "_pytest.setupplan",
        "_pytest.skipping",
        "_pytest.stepwise",
        "_pytest.threadexception",
        "_pytest.unittest",
        "_pytest.unraisableexception",
        "_pytest.warnings",
        "pandas.core.groupby",
        "execnet.gateway_io",
        "platformdirs.pytest_plugin",
        "xdist.dsession",
        "multiprocessing.connection",
        "openai",
        "jinja2",
        "scipy.stats",
        "jmedethic_pytest.cli.main",
        "jmedethic_pytest.demo.provider",
        "jmedethic_pytest.models.openai",
        "jmedethic_pytest.pytest_plugin.controller",
        "jmedethic_pytest.pytest_plugin.ending",
        "jmedethic_pytest.pytest_plugin.plugin",
        "jmedethic_pytest.reports.allure.live",
        "jmedethic_pytest.reports.terminal.summary",
        "typer.rich_utils",
        "support.warm",
    ]
)
PYTHON = "JMEDTESTS_PYTHON"
"""Variable of the environment: what a forked program takes for its interpreter, such as that of ``support.warmed``."""


def start(
    program: Program, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: Path
) -> BaseProcess:
    """Start a program in a folder, in a process group of its own; both its streams go to a file."""
    serve_forks()
    process = _SERVER.Process(
        target=_become, args=(program, list(arguments), str(folder), dict(environment), str(output))
    )
    process.start()
    return process


def share() -> None:
    """Start the server of forks for this process and those that are forked from it."""
    serve_forks()
    # Only the parent of a server may ask whether it still runs.
    os.register_at_fork(after_in_child=lambda: setattr(forkserver._forkserver, "ensure_running", lambda: None))


@cache
def serve_forks() -> None:
    """Start the server of forks where it finds :mod:`support.warm`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
        forkserver.ensure_running()


def run(
    program: Program, *arguments: str, folder: Path, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run a program, or a script as ``python`` does, to its end in a folder; ``stdout`` holds both its streams.

    For a script every warning is an error.
    """
    output = folder.with_name(f"{folder.name}.{program}.output")
    process = start(program, arguments, folder=folder, environment=environment, output=output)
    process.join(PATIENCE)
    said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    if process.exitcode is None:
        process.kill()
        pytest.fail(f"{program} hangs:\n{said}")
    return subprocess.CompletedProcess([program, *arguments], process.exitcode, said, "")


class Running:
    """A started program, its output read while it runs; as much of :class:`subprocess.Popen` as tests use.

    Args:
        given: program, arguments, folder and environment, as :func:`start` takes them.
        pipe: where the pipe of its output is made, under a name that is free.
    """

    def __init__(self, *given: Any, pipe: Path) -> None:
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        program, arguments, folder, environment = given
        self._process = start(program, arguments, folder=folder, environment=environment, output=pipe)
        self.stdout = pipe.open("rb", buffering=0)
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, kind: int) -> None:
        os.kill(self.pid, kind)

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float = PATIENCE) -> tuple[str, None]:
        """Wait until nobody can write any more; return what was written since it was last read."""
        end = threading.Timer(timeout, os.killpg, (self.pid, signal.SIGKILL))
        end.start()
        said = self.stdout.read()
        self._process.join(timeout)
        end.cancel()
        self.stdout.close()
        return said.decode(errors="replace"), None


def _become(program: Program, arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    os.setsid()
    stdin, out = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((stdin, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    if Path(output).is_fifo():  # somebody reads along
        sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    become(program, arguments, folder, environment)


def become(program: Program, arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run a program in this process, a child of the server of forks."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the suite's own shell may have made it deaf
    collector.set_aside()
    os.chdir(folder)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = environment.get(PYTHON, sys.executable)
    if new := [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder not in ("", *known)]:
        _find_first(new)
    if program == "pytest":
        unwarned()
        if not spare(workers(arguments)):
            sys.argv = [program, *arguments]
            sys.exit(int(pytest.main()))
        return
    if program == "python":
        warnings.simplefilter("error")
        sys.path[:0] = [str(Path(arguments[0]).parent)]
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        return
    from jmedethic_pytest.cli.main import main

    sys.argv = [program, *arguments]
    main()


def unwarned() -> None:
    """Have pytest look for neither plugins that are imported already nor misplaced fixtures in them.

    All of them are imported here, and it only warns of either: a tenth of what it takes to start.
    """

    def mark_rewrite(hook: AssertionRewritingHook, *names: str) -> None:
        hook._must_rewrite.update(names)
        hook._marked_for_rewrite_cache.clear()

    AssertionRewritingHook.mark_rewrite = mark_rewrite  # type: ignore[method-assign]
    FixtureManager._check_for_wrapped_fixture = lambda *_: None  # type: ignore[method-assign]


def _find_first(folders: list[str]) -> None:
    """Look for modules in folders before all others, and import this package anew: they change it, or what it found."""
    sys.path[:0] = folders
    for name in [name for name in sys.modules if name.partition(".")[0] == "jmedethic_pytest"]:
        del sys.modules[name]


def workers(arguments: list[str]) -> int:
    """Return the count that ``-n`` gives."""
    given = arguments[arguments.index("-n") + 1] if "-n" in arguments else "0"
    return int(given) if given.isdigit() else 0


class _Worker(Popen2IO):  # type: ignore[misc]
    """A forked xdist worker as execnet sees one that it has started itself."""

    def __init__(self, pid: int, outfile: Any, infile: Any, execmodel: Any) -> None:
        super().__init__(outfile, infile, execmodel)
        self._pid = pid

    def wait(self) -> int:
        return os.waitpid(self._pid, 0)[1]

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


def spare(count: int) -> bool:
    """Fork so many workers while nothing has run, for execnet to take instead of new ones; true in a worker's end."""
    spares: list[tuple[int, int, int]] = []
    for _ in range(count):
        (inner_in, outer_out), (outer_in, inner_out) = os.pipe(), os.pipe()
        pid = os.fork()
        if not pid:
            for _, *others in [*spares, (0, outer_out, outer_in)]:
                for descriptor in others:
                    os.close(descriptor)
            os.dup2(inner_in, 0)
            os.dup2(inner_out, 1)
            _serve()
            return True
        os.close(inner_in)
        os.close(inner_out)
        spares.append((pid, outer_out, outer_in))
    anew = gateway_io.create_io

    def create_io(spec: Any, execmodel: Any) -> Any:
        if not spares:  # others have died
            return anew(spec, execmodel)
        pid, outfile, infile = spares.pop(0)
        return _Worker(pid, os.fdopen(outfile, "wb"), os.fdopen(infile, "rb"), execmodel)

    gateway_io.create_io = create_io
    return False


def _serve() -> None:
    """Do what execnet has a new interpreter do; nothing is sent to one that was not needed."""
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the process's own
    if line := sys.stdin.readline():
        exec(eval(line), {"__name__": "__main__"})
