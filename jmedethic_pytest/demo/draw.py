"""Chance that depends on texts alone, so that a simulation answers the same in any order and on any machine."""

from __future__ import annotations

import hashlib


def fraction(*parts: str) -> float:
    """Return a number in [0, 1) that depends on the texts alone."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8]) / 2**64
