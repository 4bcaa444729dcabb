"""Calls the hooks of :mod:`jmedethic_pytest.pytest_plugin.hookspecs`, and believes nothing that comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from jmedethic_pytest.core.errors import ConfigError, place
from jmedethic_pytest.core.records import Verdict

if TYPE_CHECKING:
    from jmedethic_pytest.run.spec import RunSpec

_ERRORS = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""What a hook may raise, ``pytest.fail`` and ``pytest.skip`` included: neither may be taken for a test's outcome."""


def modify_cases(config: pytest.Config, spec: RunSpec) -> RunSpec:
    """Let plugins drop and reorder the selected cases.

    Raises:
        ConfigError: if one failed, or left a case in the list that was not selected, or the same one twice.
    """
    cases = list(spec.whole.labels.values())
    try:
        config.hook.pytest_jmed_modify_cases(config=config, cases=cases)
    except pytest.exit.Exception:
        raise
    except _ERRORS as error:
        raise ConfigError(f"pytest_jmed_modify_cases: {place(error)}. Mend the hook.") from None
    return spec.with_cases(cases, "pytest_jmed_modify_cases")


class VerdictTeller:
    """Tells plugins of every verdict: noted in the engine's thread, told in pytest's own.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._keys: deque[str] = deque()
        self.trouble: str | None = None
        """What the first failing call raised."""

    def note(self, key: str) -> None:
        """Remember a verdict that is stored now; its texts need not stay in memory."""
        self._keys.append(key)

    def tell(self, recall: Callable[[str], Verdict], *, over: bool = False) -> None:
        """Tell of all that were noted since.

        Args:
            recall: reads a stored verdict.
            over: whether the session has ended: then there is nothing left that ``pytest.exit`` could end.
        """
        hook = self._config.hook.pytest_jmed_verdict
        if not hook.get_hookimpls():
            self._keys.clear()
        while self._keys:
            key = self._keys.popleft()
            verdict = recall(key)
            try:
                hook(config=self._config, verdict=verdict)
            except pytest.exit.Exception:
                if not over:
                    raise
            except _ERRORS as error:
                self.trouble = self.trouble or f"pytest_jmed_verdict failed for {key}: {place(error)}"
