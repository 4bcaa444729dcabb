"""The command in a folder of its own."""

from __future__ import annotations

from support.command import beginnings, begun, cli, folder, run_cli, stored, write_cases

__all__ = ["beginnings", "begun", "cli", "folder", "run_cli", "stored", "write_cases"]
