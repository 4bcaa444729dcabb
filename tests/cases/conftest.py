"""Builders of cases and case files."""

from __future__ import annotations

from support.records import build_case, case_file, case_line

__all__ = ["build_case", "case_file", "case_line"]
