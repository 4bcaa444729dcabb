"""The server that a run starts for its target, where it has one of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.serving.attached import VARIABLE, Attached
from jmedethic_pytest.serving.plan import Plan
from jmedethic_pytest.serving.server import Server
from jmedethic_pytest.store.runs import RunStore

LOG = "server.log"
_ENOUGH = 4096
"""Tokens of one question and its answer."""


@contextmanager
def running(plan: Plan, reports: Path) -> Iterator[Plan]:
    """Serve a checkpoint as long as a command needs it that makes no run; gives the plan that knows where it is.

    Raises:
        ConfigError: if it does not become ready.
    """
    own = plan.weights.context or _ENOUGH
    with tempfile.TemporaryDirectory(prefix="jmedethic-") as folder:
        reports.mkdir(parents=True, exist_ok=True)
        wanted = replace(plan, context=plan.table.context or min(own, _ENOUGH))
        server = Server(wanted, Path(folder) / LOG, kept=reports / LOG)
        try:
            yield replace(wanted, address=server.address, version=server.version)
        finally:
            server.stop()


def attached(plan: Plan) -> Attached | None:
    """Return the server that was started for several runs of which this is one.

    Raises:
        ConfigError: if it does not serve what this run plans to ask.
    """
    found = Attached.of()
    if found is not None and found.plan != plan.digest:
        raise ConfigError(f"{VARIABLE}: names a server of other weights or flags than this run's. Unset it.")
    return found


def start(spec: RunSpec, store: RunStore) -> tuple[RunSpec, Server | Attached | None]:
    """Start a run's server; return the run that knows where its target is.

    Raises:
        ConfigError: if it does not become ready; then nothing is left of the run, but the log beside the runs.
    """
    plan, settings = spec.serving, spec.settings
    if plan is None or spec.transcripts is not None:
        return spec, None
    server: Server | Attached | None = attached(plan)
    try:
        server = server or Server(plan, store.path / LOG, kept=settings.reports / LOG, quiet=settings.redact)
    except BaseException:
        store.discard()
        raise
    server.tell(store.path)
    known = replace(plan, address=server.address, version=server.version)
    return replace(spec, serving=known, target=known.ref), server
