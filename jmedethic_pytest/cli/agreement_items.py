"""``jmedethic agreement --items``: the conversations as items, as text, table and plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.core import files
from jmedethic_pytest.reports.wording import number

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.items import Item, ItemStudy

MECHANISM = "SIMULATION: of scripted targets these figures show how the method works, and nothing about a conversation."
_SHOWN = 10


def write(folder: Path, found: ItemStudy) -> Iterator[Path]:
    """Write ``items.csv``, and ``items.png`` and ``items.svg`` if there is anything to draw; yield the files.

    Raises:
        ConfigError: after the table, if what draws is not installed.
        StoreError: if one cannot be written.
    """
    from jmedethic_pytest.reports import plots, tables

    table = tables.Table.of("items", map(tables.flatten, found.items))
    files.replace(folder / "items.csv", tables.csv_bytes(table))
    yield folder / "items.csv"
    plots.require()
    from jmedethic_pytest.reports.plots import items as plot

    if plot.write(folder, found):
        yield from (folder / f"{plot.NAME}.{suffix}" for suffix in ("png", "svg"))


def lines(found: ItemStudy) -> Iterator[str]:
    """Yield the study as text, at most 100 characters wide."""
    if found.simulated:
        yield MECHANISM
        yield ""
    yield f"{len(found.items)} conversations, {len(found.runs)} runs, {len(found.models)} models"
    if found.left_out:
        yield f"left out, since not in every run with the same texts: {found.left_out}"
    again = [item for item in found.items if item.again]
    yield f"contested again and again (two runs or more, and half of them): {len(again)}"
    yield from _list(sorted(again, key=lambda item: (-item.contested_runs, -(item.distance or 0.0), item.case)))
    if found.reason:
        yield f"difficulty and discrimination: not estimable: {found.reason}"
        return
    still = [item for item in found.items if item.varies is False]
    yield f"the same for every model (at most half a point apart): {len(still)}; they tell none of them apart"
    known = [item for item in found.items if item.discrimination.value is not None]
    against = [item for item in known if _value(item) < 0]
    sure = [item for item in known if item.discrimination.high is not None and item.discrimination.high < 0]
    yield f"order the models against all others: {len(against)}, certainly {len(sure)} (2.5 % would by chance alone)"
    yield from _list(sorted(against, key=lambda item: (_value(item), item.case)))
    yield "hardest:"
    yield from _list(sorted(found.items, key=lambda item: (item.mean is None, item.mean, item.case)))


def _value(item: Item) -> float:
    return item.discrimination.value or 0.0


def _list(items: Sequence[Item]) -> Iterator[str]:
    for item in items[:_SHOWN]:
        yield (
            f"  {item.case:<32} contested {item.contested_runs}/{item.runs}  distance {number(item.distance):>5}  "
            f"mean {number(item.mean):>5}  spread {number(item.spread):>5}  r {number(item.discrimination.value):>5}"
        )
    if len(items) > _SHOWN:
        yield f"  and {len(items) - _SHOWN} more"
