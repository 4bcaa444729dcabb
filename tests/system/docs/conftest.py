"""A folder of its own, and what is made once."""

from __future__ import annotations

from support.command import folder
from support.demo_chain import demo_chain
from support.once import once, shared_folder

__all__ = ["demo_chain", "folder", "once", "shared_folder"]
