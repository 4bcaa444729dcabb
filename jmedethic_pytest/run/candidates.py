"""A base and its adapters on one server: a run each, the base first, and every adapter held against it.

Each run is a command of its own, the user's with a few words more, so that pytest and the command line do the same.
The server is this process's: it ends with it, and the runs then end by themselves.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.serving.attached import VARIABLE, Attached
from jmedethic_pytest.serving.plan import Plan
from jmedethic_pytest.serving.server import Server
from jmedethic_pytest.store import baselines

_CRASH = 3
"""Exit status of pytest after an internal error."""
_WORST_FIRST = (ExitStatus.INTERRUPTED, _CRASH, ExitStatus.USAGE, ExitStatus.FAIL, ExitStatus.BUDGET)
"""Exit statuses that say more than "no answer"."""
_BASELINE = "as-baseline.json"


def wanted(settings: Settings) -> bool:
    """Tell whether a command is to make several runs; the commands of the single ones are the same, with a server."""
    return bool(settings.adapters) and not settings.dry_run and VARIABLE not in os.environ


Command = Callable[[str, Sequence[str]], Sequence[str]]
"""Returns the command of one run: given the name of who answers, and its baselines."""


@dataclass(frozen=True)
class _Ended:
    """How one run ended."""

    name: str
    status: int
    run: Path | None

    def line(self) -> str:
        """Return what is told of it."""
        answer = ""
        if self.run is not None and (self.run / "gate.json").is_file():
            answer = str(json.loads((self.run / "gate.json").read_text(encoding="utf-8"))["answer"]).upper()
        where = f", run {self.run}" if self.run is not None else ""
        return f"  {self.name}: {answer or 'no answer'} (exit status {self.status}){where}"


def evaluate(spec: RunSpec, command: Command, say: Callable[[str], None]) -> int:
    """Evaluate a base and all adapters of its server, and return the worst exit status of the adapters' runs.

    Where the base's run does not come to its end no adapter is evaluated, and its status is returned; whether the base
    passes its own gate is no matter.

    Args:
        spec: the base's run.
        command: makes the command of each.
        say: told what is going on, a line at a time.

    Raises:
        ConfigError: if the server does not become ready.
    """
    plan = spec.serving
    assert plan is not None
    reports = spec.settings.reports
    reports.mkdir(parents=True, exist_ok=True)
    names = [adapter.name for adapter in plan.adapters]
    with tempfile.TemporaryDirectory(prefix="jmedethic-") as folder:
        log = Path(folder) / "server.log"
        say(f"jmedethic: one server ({plan.engine}) for {plan.name} and {len(names)} adapters: {', '.join(names)}")
        server = Server(plan, log, kept=reports / "server.log", quiet=spec.settings.redact)
        server.watch(say)
        try:
            return _each(spec, plan, server, command, say, Path(folder) / "run")
        finally:
            server.stop()


def _each(spec: RunSpec, plan: Plan, server: Server, command: Command, say: Callable[[str], None], note: Path) -> int:
    def run(chosen: int | None, held_against: Sequence[str]) -> _Ended:
        name = plan.answering(chosen).model
        say(f"jmedethic: ---- {name}" + (f", against {plan.name}" if held_against else ""))
        note.unlink(missing_ok=True)
        given = Attached(server.address, server.version, server.supervisor, plan.digest, chosen, str(note))
        status = _wait(command(name, held_against), given)
        return _Ended(name, status, Path(note.read_text(encoding="utf-8")) if note.exists() else None)

    base = run(None, ())
    ended, against = [base], _baseline(base, spec, say)
    if against is not None:
        for chosen in range(len(plan.adapters)):
            ended.append(run(chosen, against))
            if ended[-1].status == ExitStatus.INTERRUPTED:
                break
    for item in ended:
        say(item.line())
        _keep(server.log, item.run)
    statuses = [item.status for item in ended[1:]] or [base.status or ExitStatus.INCONCLUSIVE]
    return next(
        (status for status in _WORST_FIRST if status in statuses), ExitStatus.INCONCLUSIVE if any(statuses) else 0
    )


def _keep(log: Path, run: Path | None) -> None:
    """Put the server's log beside the run, as it is where a run has a server of its own."""
    if run is not None and log.exists():
        shutil.copyfile(log, run / log.name)


def _baseline(base: _Ended, spec: RunSpec, say: Callable[[str], None]) -> Sequence[str] | None:
    """Return the names that hold the base's run as a baseline; none without judges, ``None`` if it cannot be one."""
    if base.run is None or base.status in (ExitStatus.INTERRUPTED, _CRASH, ExitStatus.USAGE):
        return None
    if not spec.judges:
        return ()
    try:
        path = base.run / _BASELINE
        baselines.write(path, baselines.of(base.name, base.run))
    except JmedError as error:
        say(f"jmedethic: no adapter is evaluated, as there is nothing to hold it against: {error}")
        return None
    return (str(path),)


def _wait(command: Sequence[str], given: Attached) -> int:
    """Run a command to its end; Ctrl-C reaches it, too, and it is waited for."""
    process = subprocess.Popen(command, env={**os.environ, VARIABLE: given.as_text()})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
        except BaseException:
            process.terminate()
            raise
