"""Builders of score sheets."""

from __future__ import annotations

from support.score_rows import as_baseline, row, rules, sheet

__all__ = ["as_baseline", "row", "rules", "sheet"]
