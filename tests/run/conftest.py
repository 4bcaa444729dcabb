"""Runs against a hostile server."""

from __future__ import annotations

from support.hostile import (
    hostile_project,
    hostile_run,
    hostile_server,
    new_project,
    numbered_case,
    once,
    planted,
    redacted_run,
    run_project,
)

__all__ = [
    "hostile_project",
    "hostile_run",
    "hostile_server",
    "new_project",
    "numbered_case",
    "once",
    "planted",
    "redacted_run",
    "run_project",
]
