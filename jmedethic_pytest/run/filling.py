"""A run that evaluates nothing: batches answer what they can, and the run that follows finds it in the cache."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait

from jmedethic_pytest.core.errors import ConfigError, JmedError, StoreError
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.run.progress import Progress
from jmedethic_pytest.run.running import RunningRun
from jmedethic_pytest.run.spec import RunSpec

_POLL_SECONDS = 0.25


class FillingRun(RunningRun):
    """A run up to its first evaluation."""

    def fill(self) -> Future[None]:
        """Do what comes before that: try the judges, look at the target, have batches answered."""
        self._scheduler.planned = list(self.jobs)
        return self._scheduler.do(self._opening.first.over)

    def leave(self, why: str) -> RunInfo:
        """Stop the engine, and keep a record of the run; the next one of its plan goes on with it."""
        self.stop()
        self.info = self._final_info(why, complete=False)
        self._store.write_info(self.info)
        self._store.close()
        return self.info


def fill(spec: RunSpec, watch: Callable[[Progress], None] | None = None) -> RunInfo:
    """Fill the cache for a run.

    Args:
        spec: the run.
        watch: called some four times a second with where it stands.

    Returns:
        What was called, and what came of it.

    Raises:
        ConfigError: if the run's folder or the cache cannot be written.
        RunAborted: if the judges do not prove themselves, a batch cannot be begun or read, or the budget is spent.
        KeyboardInterrupt: on Ctrl-C; batches that were begun go on, and the next call reads them.
    """
    try:
        run = FillingRun(spec)
    except StoreError as error:
        raise ConfigError(str(error)) from None
    why = "interrupted by the user"
    try:
        filled = run.fill()
        while not filled.done():
            if watch is not None:
                watch(run.progress())
            wait([filled], timeout=_POLL_SECONDS)
        filled.result()
        why = "it only filled the cache, with the answers of batches"
    except JmedError as error:
        why = str(error)
        raise
    finally:
        info = run.leave(why)
    return info
