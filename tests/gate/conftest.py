"""Builders of records."""

from __future__ import annotations

from support.records import build_case, build_verdict

__all__ = ["build_case", "build_verdict"]
