"""How figures and warnings are written, in every report alike. Imports nothing heavy."""

from __future__ import annotations

SIMULATION = "SIMULATION: demo targets and demo judges are scripted; these figures say nothing about any real model."


def number(value: float | None, digits: int = 2) -> str:
    """Write a figure, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def share(value: float | None) -> str:
    """Write a share as a percentage, or a dash where there is none."""
    return "-" if value is None else f"{value:.1%}"
