"""Libraries that few tests need, imported when one of these runs: every process collects all tests."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module until one of its names is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_") and attribute != "__file__":  # what pytest asks all that stands in a test file
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
