"""A throw-away project."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.chat_server import chat_server, hold, server
from support.command import folder
from support.project import LENIENT_RULES, Project, new_case, new_project, project
from support.score_rows import loose

__all__ = ["chat_server", "folder", "hold", "loose", "new_case", "new_project", "project", "server"]


@pytest.fixture
def small(new_project: Callable[..., Project]) -> Project:
    """Seven cases, one for each strategy: ``demo:aligned`` passes a gate that asks these alone."""
    made = new_project(7)
    made.write("thresholds.toml", LENIENT_RULES)
    return made
