"""The command in a folder of its own."""

from __future__ import annotations

from support.command import beginnings, begun, cli, folder, run_cli, stored, write_cases
from support.once import once, shared_folder

__all__ = ["beginnings", "begun", "cli", "folder", "once", "run_cli", "shared_folder", "stored", "write_cases"]
