"""What the steps of a sweep read beside sweep.toml: cases and thresholds. A result made of others is none.

A gate that was passed under other floors, or on other cases, must not stand for the one that is asked for today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jmedethic_pytest.cases import selection
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.config import tables
from jmedethic_pytest.run.options import Settings

_OF_TARGET = ("target", "serve", "attacker", "limits", "providers", "prices")
"""Tables that tell how models are reached and what they cost: they decide nothing where replies are judged later."""


def cases(settings: Settings, home: Path) -> str:
    """Return the digest of the cases that a run is asked for.

    Raises:
        ConfigError: if they cannot be read, or none is selected.
    """
    index = CaseIndex.read([home / path for path in settings.cases] or None)
    chosen = selection.select(list(index.labels.values()), settings.selection, index.vocabulary)
    return index.choose(chosen).digest


def rules(settings: Settings, home: Path) -> dict[str, Any]:
    """Return the thresholds that a run is held against.

    Raises:
        ConfigError: if they cannot be used.
    """
    path = None if settings.thresholds is None else home / settings.thresholds
    return tables.load(path, home)[0].model_dump(mode="json")


def same_target(recorded: Mapping[str, Any], today: Mapping[str, Any]) -> bool:
    """Tell whether a target was called as it would be today, by the thresholds that a run records."""
    return _same(recorded, today, ["target"])


def same_judging(recorded: Mapping[str, Any], today: Mapping[str, Any]) -> bool:
    """Tell whether replies were judged, and the gate was decided, by the rules of today."""
    return _same(recorded, today, sorted({*recorded, "policy"}.difference(_OF_TARGET)))


def _same(recorded: Mapping[str, Any], today: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Compare tables; a key that an older version did not know yet says nothing."""
    return all(_holds(today.get(name), recorded.get(name)) for name in names)


def _holds(today: Any, recorded: Any) -> bool:
    if isinstance(today, Mapping) and isinstance(recorded, Mapping):
        return all(_holds(today.get(key), value) for key, value in recorded.items())
    return bool(today == recorded)
