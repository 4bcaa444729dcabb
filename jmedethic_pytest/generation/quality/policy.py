"""The content policy at the door of every stage: what carries know-how or real people is dropped, not stored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jmedethic_pytest.cases.checks import policy as rules
from jmedethic_pytest.generation.machinery.files import Line
from jmedethic_pytest.generation.machinery.meter import Spent
from jmedethic_pytest.generation.machinery.records import Drop, Made


@lru_cache(maxsize=4096)  # a question passes several doors
def denied(text: str) -> str | None:
    """Return the name of the first group of the deny-list that a text falls under, ``None`` if it is clean."""
    folded = rules.fold(text).lower()
    return next((group.name for group in rules.groups() if group.found(folded)), None)


def screen(key: str, made: Made[Any], spent: Mapping[str, Spent]) -> Line:
    """Return the line of one item, with the records that break the content policy turned into drops.

    A drop names the group of the deny-list, never the passage.
    """
    kept, dropped = [], list(made.drops)
    for record in made.records:
        group = next((found for found in map(denied, record.texts()) if found is not None), None)
        if group is None:
            kept.append(record.model_dump(mode="json", exclude_defaults=True))
        else:
            dropped.append(Drop(reason="policy", detail=group, source=_source(record)))
    return Line(key=key, records=tuple(kept), drops=tuple(dropped), spent=dict(sorted(spent.items())))


def _source(record: Any) -> str:
    """Return the model that wrote a record, as far as the record says."""
    return str(getattr(record, "generator", "") or getattr(record, "attacker", ""))
