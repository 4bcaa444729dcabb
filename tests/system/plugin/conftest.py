"""A throw-away project."""

from __future__ import annotations

from support.command import folder
from support.project import chat_server, new_case, new_project, project
from support.score_rows import loose

__all__ = ["chat_server", "folder", "loose", "new_case", "new_project", "project"]
