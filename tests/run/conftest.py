"""Runs against a hostile server."""

from __future__ import annotations

from support.command import cli, folder, run_cli, stored, write_cases
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
    "cli",
    "folder",
    "hostile_project",
    "hostile_run",
    "hostile_server",
    "new_project",
    "numbered_case",
    "once",
    "planted",
    "redacted_run",
    "run_cli",
    "run_project",
    "stored",
    "write_cases",
]
