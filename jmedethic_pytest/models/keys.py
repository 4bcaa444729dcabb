"""Keys as the environment holds them: found, tidied, and put where a server expects them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from jmedethic_pytest.config.servers import VARIABLE
from jmedethic_pytest.core.errors import ConfigError


def key(row: Mapping[str, Any], what: str, *, called: bool) -> str | None:
    """Return the key of a provider.

    Args:
        row: what is known of the provider (``api_key_env``, ``optional_key_env``).
        what: the model and where it was named, for errors.
        called: whether it will be called; without that no key is needed.

    Raises:
        ConfigError: naming the variable, if it is needed and not set, or holds no key.
    """
    needed = row.get("api_key_env")
    variable = needed or row.get("optional_key_env") or ""
    found = _read(variable, what)
    if called and needed and not found:
        raise ConfigError(_missing(f"{what} needs", needed))
    return found or None


def headers(written: Mapping[str, str], what: str, *, called: bool) -> tuple[dict[str, str], list[str]]:
    """Return headers with the values of the environment in the place of its variables, and these values.

    Raises:
        ConfigError: as :func:`key` does.
    """
    problems: list[str] = []
    values: list[str] = []

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        values.append(_read(name, what))
        if called and not values[-1]:
            problems.append(_missing(f"{what} need", name))
        return values[-1]

    filled = {name: VARIABLE.sub(value, text) for name, text in written.items()}
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return filled, values


def _read(variable: str, what: str) -> str:
    """Return a value without the line end, spaces or quotes that it was stored with."""
    value = os.environ.get(variable, "").strip().strip("\"'").strip()
    if not (value.isascii() and value.isprintable()):
        raise ConfigError(
            f"{what}: the environment variable {variable} holds a sign that no key may hold (a line end inside, or a "
            "letter that is not ASCII). Next: copy the key again."
        )
    return value


def _missing(needs: str, variable: str) -> str:
    return f"{needs} the environment variable {variable}, which is not set. Next: export {variable}=..."
