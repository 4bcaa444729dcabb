"""The command line, built once by a process and by those that are forked from it."""

from __future__ import annotations

from typing import Any

import typer.main

_build = typer.main.get_command
_built: dict[tuple[int, int], Any] = {}


def keep() -> None:
    """Have a Typer application give the commands of its first call, unless modules have added others since.

    A user's process builds the one command that it runs; here all are loaded, and a call would build every one anew.
    """
    typer.main.get_command = _build_once


def _build_once(application: typer.Typer) -> Any:
    state = id(application), _count(application)
    if state not in _built:
        _built[state] = _build(application)
    return _built[state]


def _count(application: typer.Typer) -> int:
    groups = (group.typer_instance for group in application.registered_groups)
    return len(application.registered_commands) + sum(1 + _count(group) for group in groups if group)
