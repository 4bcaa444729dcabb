"""A folder of its own."""

from __future__ import annotations

from support.command import folder

__all__ = ["folder"]
