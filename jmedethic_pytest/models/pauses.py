"""How long to wait before a call is tried again: what the server asks for, else longer each time."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Mapping

FIRST = 0.5
"""Seconds after the first failure; doubled after each further one."""
LONGEST = 15.0
"""The longest pause that a call takes of its own accord."""
_SPREAD = 0.25
"""Share by which a pause is made longer or shorter by chance, so that calls do not come back all at once."""


def after(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    spread = random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - chance, no secret
    return min(LONGEST, FIRST * 2.0 ** min(failures - 1, 16)) * spread


def asked(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as a date."""
    exact = seconds(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / 1000
    value = headers.get("retry-after")
    return seconds(value) if value is None or not value[:1].isalpha() else _until(value)


def seconds(value: str | None) -> float | None:
    """Return a header's number, ``None`` for what is no finite one from 0 on."""
    try:
        found = float(value) if value else None
    except ValueError:
        return None
    return found if found is not None and 0 <= found < float("inf") else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
