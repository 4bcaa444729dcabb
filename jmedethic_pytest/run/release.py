"""The one way out of the engine: no key ever passes, and with ``--jmed-redact`` no text of a model.

Everything behind it, the store, the workers, the tests, the reports, sees only what has passed, so that none of them
has to take care itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from jmedethic_pytest.core import secrets as secrecy
from jmedethic_pytest.core import transcripts
from jmedethic_pytest.core.errors import ConfigError, JmedError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.run.redaction import redact
from jmedethic_pytest.run.spec import RunSpec

J = TypeVar("J")


class Door:
    """Lets verdicts, errors and the description of a run out.

    Args:
        spec: the run's input, where its keys stand.
    """

    def __init__(self, spec: RunSpec) -> None:
        self._secrets = secrets(spec)
        self._redact = spec.settings.redact

    def guard(self, evaluate: Callable[[J], Awaitable[Verdict]]) -> Callable[[J], Awaitable[Verdict]]:
        """Return a function like the engine's, whose verdicts and errors have passed the door."""

        async def guarded(job: J) -> Verdict:
            try:
                return self.verdict(await evaluate(job))
            except JmedError as error:
                self._clean(error)
                raise
            except Exception as error:
                text = self._secrets.hide(str(error))
                if text == str(error):
                    raise
                raise RuntimeError(f"{type(error).__name__}: {text}") from None

        return guarded

    def verdict(self, verdict: Verdict) -> Verdict:
        """Return a verdict as it may be stored and shown."""
        clean = self._secrets.hide_in_record(verdict)
        clean = clean.model_copy(update={"transcript": transcripts.digest(clean)})
        return redact(clean) if self._redact else clean

    def info(self, info: RunInfo) -> RunInfo:
        """Return the description of a run as it may be stored and shown: commands and parameters can hold keys."""
        return self._secrets.hide_in_record(info)

    def _clean(self, error: JmedError) -> None:
        error.args = tuple(self._secrets.hide(str(part)) for part in error.args)
        if isinstance(error, ConfigError):
            error.problems = [self._secrets.hide(problem) for problem in error.problems]


def secrets(spec: RunSpec) -> secrecy.Secrets:
    """Return every key of a run: of its models, in addresses, in the parameters of the thresholds file."""
    found = secrecy.Secrets((), secrecy.in_settings(spec.thresholds.model_dump(mode="json")))
    for ref in (spec.target, *spec.called):
        found = found + ref.secrets
    return found
