"""The server that a run starts for its target, where it has one of its own."""

from __future__ import annotations

from dataclasses import replace

from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.serving.server import Server
from jmedethic_pytest.store.runs import RunStore

LOG = "server.log"


def start(spec: RunSpec, store: RunStore) -> tuple[RunSpec, Server | None]:
    """Start a run's server; return the run that knows where its target is.

    Raises:
        ConfigError: if it does not become ready; then nothing is left of the run, but the log beside the runs.
    """
    plan, settings = spec.serving, spec.settings
    if plan is None or spec.transcripts is not None:
        return spec, None
    try:
        server = Server(plan, store.path / LOG, kept=settings.reports / LOG, quiet=settings.redact)
    except BaseException:
        store.discard()
        raise
    known = replace(plan, address=server.address, version=server.version)
    return replace(spec, serving=known, target=known.ref), server
