"""Builders of verdicts and score sheets."""

from __future__ import annotations

from support.command import cli, folder
from support.records import build_case, build_verdict
from support.score_rows import as_baseline, row, rules, sheet

__all__ = ["as_baseline", "build_case", "build_verdict", "cli", "folder", "row", "rules", "sheet"]
