"""Builders of score sheets."""

from __future__ import annotations

from support.score_rows import row, rules, sheet

__all__ = ["row", "rules", "sheet"]
