"""The official data set's columns are not documented: they are recognised by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from jmedethic_pytest.cases.exchange.mapping import Mapping, built_in, shown
from jmedethic_pytest.core.errors import ConfigError


def recognise(header: Sequence[str], place: str) -> Mapping:
    """Return the mapping that fits the columns of a file.

    Raises:
        ConfigError: if no column looks like the turns of a conversation.
    """
    data = built_in("official")
    aliases: dict[str, list[str]] = data.pop("aliases")
    prefixes = aliases.pop("numbered")
    by_name = {_normal(name): name for name in header}
    columns: dict[str, Any] = {
        field: [by_name[alias] for alias in names if alias in by_name] for field, names in aliases.items()
    }
    columns = {field: found if field == "guideline" else found[:1] for field, found in columns.items()}
    columns["turns"] = columns["turns"] or _numbered(by_name, prefixes)
    if not columns["turns"]:
        raise ConfigError(
            f"{place}: no column looks like the user turns. {shown(header)} Next: say which one it is in a mapping "
            "file: --format table --mapping FILE.toml."
        )
    turns = columns["turns"]
    columns = {field: [name for name in found if name not in turns] for field, found in columns.items()}
    return Mapping.model_validate({**data, "columns": {**columns, "turns": turns}})


def _numbered(by_name: dict[str, str], prefixes: Sequence[str]) -> list[str]:
    """Return the columns ``turn_0, turn_1, ...`` (or ``q1, q2, ...``): numbered without a gap from 0 or 1."""
    for prefix in prefixes:
        pattern = re.compile(rf"{prefix}_?(\d+)(?:_(?:user|text|prompt))?")
        found = {int(match[1]): by_name[match.string] for name in by_name if (match := pattern.fullmatch(name))}
        numbers = sorted(found)
        if numbers and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return [found[number] for number in numbers]
    return []


def _normal(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", unicodedata.normalize("NFKC", name).strip().casefold())
