"""A folder of its own, and what is made once."""

from __future__ import annotations

from support.command import folder
from support.once import once, shared_folder

__all__ = ["folder", "once", "shared_folder"]
