"""A throw-away project."""

from __future__ import annotations

from support.chat_server import chat_server, hold, server
from support.command import folder
from support.project import new_case, new_project, project
from support.score_rows import loose

__all__ = ["chat_server", "folder", "hold", "loose", "new_case", "new_project", "project", "server"]
