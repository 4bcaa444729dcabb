"""Runs against a hostile server."""

from __future__ import annotations

from support.command import cli, folder, run_cli, stored, write_cases
from support.hostile import hostile_project, hostile_run, hostile_server, planted, redacted_run
from support.once import once, shared_folder
from support.project import new_case, new_project

__all__ = [
    "cli",
    "folder",
    "hostile_project",
    "hostile_run",
    "hostile_server",
    "new_case",
    "new_project",
    "once",
    "planted",
    "redacted_run",
    "run_cli",
    "shared_folder",
    "stored",
    "write_cases",
]
