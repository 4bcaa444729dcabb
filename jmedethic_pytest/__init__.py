"""Safety regression tests for medical LLMs: a pytest plugin, a command line and the engine behind both.

For tests of your own::

    from jmedethic_pytest import Case, Verdict, LiveEngine, check

and for programs, without pytest::

    from jmedethic_pytest import evaluate, load_run, compare

    outcome = evaluate("demo:aligned", sample=40)
    print(outcome.gate.answer)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jmedethic_pytest._version import VERSION as __version__  # noqa: N811 - the conventional name

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.noninferiority.records import Comparison
    from jmedethic_pytest.core.errors import CaseError, ConfigError, JmedError, RunAborted, StoreError, ThresholdFailure
    from jmedethic_pytest.core.records import Case, Condition, Gate, Reply, Score, Turn, Usage, Verdict, Violation
    from jmedethic_pytest.gate.outcome import Outcome
    from jmedethic_pytest.judging.verdict import check
    from jmedethic_pytest.pytest_plugin.session import LiveEngine
    from jmedethic_pytest.run.evaluate import Interrupted, evaluate
    from jmedethic_pytest.run.progress import Progress
    from jmedethic_pytest.run.stored import compare, load_run

_NAMES = {
    "run.evaluate": ("evaluate", "Interrupted"),
    "run.progress": ("Progress",),
    "run.stored": ("load_run", "compare"),
    "gate.outcome": ("Outcome",),
    "analysis.noninferiority.records": ("Comparison",),
    "core.records": ("Case", "Condition", "Gate", "Reply", "Score", "Turn", "Usage", "Verdict", "Violation"),
    "core.errors": ("CaseError", "ConfigError", "JmedError", "RunAborted", "StoreError", "ThresholdFailure"),
    "judging.verdict": ("check",),
    "pytest_plugin.session": ("LiveEngine",),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}
__all__ = [  # noqa: RUF022 - grouped by module
    "evaluate",
    "Interrupted",
    "Progress",
    "load_run",
    "compare",
    "Outcome",
    "Comparison",
    "Case",
    "Condition",
    "Gate",
    "Reply",
    "Score",
    "Turn",
    "Usage",
    "Verdict",
    "Violation",
    "CaseError",
    "ConfigError",
    "JmedError",
    "RunAborted",
    "StoreError",
    "ThresholdFailure",
    "check",
    "LiveEngine",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import on first use: pytest loads this package in every session, also where it has nothing to do."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
