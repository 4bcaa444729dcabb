"""The content policy at the door of every stage: what carries know-how or real people is dropped, not stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.generation.machinery.files import Line
from jmedethic_pytest.generation.machinery.meter import Spent
from jmedethic_pytest.generation.machinery.records import Drop, Made


def drop(texts: Iterable[str], source: str) -> Drop | None:
    """Return the drop of texts that break the content policy, ``None`` if they are clean.

    Args:
        texts: what one model wrote.
        source: the model.
    """
    group = next((found for found in map(denied, texts) if found is not None), None)
    return None if group is None else Drop(reason="policy", detail=group, source=source)


def screen(key: str, made: Made[Any], spent: Mapping[str, Spent]) -> Line:
    """Return the line of one item, with the records that break the content policy turned into drops.

    A drop names the group of the deny-list, never the passage.
    """
    kept, dropped = [], list(made.drops)
    for record in made.records:
        breach = drop(record.texts(), _source(record))
        if breach is None:
            kept.append(record.model_dump(mode="json", exclude_defaults=True))
        else:
            dropped.append(breach)
    return Line(key=key, records=tuple(kept), drops=tuple(dropped), spent=dict(sorted(spent.items())))


def _source(record: Any) -> str:
    """Return the model that wrote a record, as far as the record says."""
    return str(getattr(record, "generator", "") or getattr(record, "attacker", ""))
