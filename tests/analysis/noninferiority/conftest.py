"""Builders of score sheets, and the command that compares them."""

from __future__ import annotations

from support.command import cli, folder
from support.score_rows import as_baseline, row, rules, sheet

__all__ = ["as_baseline", "cli", "folder", "row", "rules", "sheet"]
