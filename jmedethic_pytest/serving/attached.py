"""A server that another process of ours has started: of several runs, one after the other, that share one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from jmedethic_pytest.core.errors import ConfigError

VARIABLE = "JMED_SERVED"
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Attached:
    """Where a server is, and what it has; as a value of the environment it is JSON."""

    address: str
    version: str | None
    supervisor: int
    """The process that keeps it alive."""
    plan: str
    """Digest of what it serves (:attr:`jmedethic_pytest.serving.plan.Plan.digest`)."""
    chosen: int | None
    """The adapter that this run asks, ``None`` for the base."""
    note: str
    """A file for the path of the run's folder."""

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Attached | None:
        """Return the server that the environment names, if it names one.

        Raises:
            ConfigError: if that is none of ours.
        """
        given = environment.get(VARIABLE)
        if not given:
            return None
        try:
            return cls(**json.loads(given))
        except (ValueError, TypeError):
            raise ConfigError(f"{VARIABLE}: is set for runs that share a server, and not by hand. Unset it.") from None

    def as_text(self) -> str:
        """Return the value for the environment."""
        return json.dumps(asdict(self))

    def tell(self, run: Path) -> None:
        """Say to the process that began this run where its folder is."""
        Path(self.note).write_text(str(run), encoding="utf-8")

    def watch(self, on_death: Callable[[str], None]) -> None:
        """Call a function, in a thread of its own, if the server ends; it is told so."""

        def look() -> None:
            pause = threading.Event()
            with suppress(ProcessLookupError):
                while not pause.wait(_LOOK_SECONDS):
                    os.kill(self.supervisor, 0)
            on_death("the server of these runs has ended")

        threading.Thread(target=look, name="jmedethic-server", daemon=True).start()

    def stop(self) -> None:
        """Leave the server to who has started it."""
