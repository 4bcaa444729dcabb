"""The command in a folder of its own."""

from __future__ import annotations

from support.command import cli, folder

__all__ = ["cli", "folder"]
