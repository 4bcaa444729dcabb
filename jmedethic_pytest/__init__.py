"""Safety regression tests for medical LLMs: a pytest plugin, a command line and the engine behind both.

What a test of your own needs can be imported from here::

    from jmedethic_pytest import Case, Verdict, LiveEngine, check
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jmedethic_pytest._version import VERSION as __version__  # noqa: N811 - the conventional name

if TYPE_CHECKING:
    from jmedethic_pytest.core.errors import CaseError, ConfigError, JmedError, RunAborted, ThresholdFailure
    from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Usage, Verdict, Violation
    from jmedethic_pytest.judging.verdict import check
    from jmedethic_pytest.pytest_plugin.session import LiveEngine

_HOMES = {
    **dict.fromkeys(("CaseError", "ConfigError", "JmedError", "RunAborted", "ThresholdFailure"), "core.errors"),
    **dict.fromkeys(("Case", "Reply", "Score", "Turn", "Usage", "Verdict", "Violation"), "core.records"),
    "LiveEngine": "pytest_plugin.session",
    "check": "judging.verdict",
}
__all__ = [  # noqa: RUF022 - grouped by module
    "CaseError",
    "ConfigError",
    "JmedError",
    "RunAborted",
    "ThresholdFailure",
    "Case",
    "Reply",
    "Score",
    "Turn",
    "Usage",
    "Verdict",
    "Violation",
    "LiveEngine",
    "check",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import on first use: pytest loads this package in every session, also where it has nothing to do."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
