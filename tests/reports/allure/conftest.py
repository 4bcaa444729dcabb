"""Throw-away projects, and runs that several tests read."""

from __future__ import annotations

from support.once import once, shared_folder
from support.project import new_case, new_project

__all__ = ["new_case", "new_project", "once", "shared_folder"]
