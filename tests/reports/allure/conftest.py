"""Runs against a hostile server."""

from __future__ import annotations

from support.hostile import new_project, numbered_case, once, run_project

__all__ = ["new_project", "numbered_case", "once", "run_project"]
