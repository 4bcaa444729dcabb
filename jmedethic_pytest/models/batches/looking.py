"""What the providers say of batches that were handed over, for whoever looks from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models.base import ModelRef
from jmedethic_pytest.models.batches.base import Interface, Standing
from jmedethic_pytest.models.batches.journal import Entry
from jmedethic_pytest.models.batches.opening import open_interface
from jmedethic_pytest.models.registry import load_transports, open_provider


class Seen(NamedTuple):
    """A batch, and how it stands."""

    entry: Entry
    standing: Standing | None
    """``None`` if it is over, was never begun, or cannot be asked about."""
    problem: str = ""
    """Why it cannot, if so."""


def look(entries: Sequence[Entry], refs: Mapping[str, ModelRef], folder: Path, *, cancel: bool = False) -> list[Seen]:
    """Ask how batches stand.

    Args:
        entries: the batches.
        refs: their models by the entry's name.
        folder: of the journal.
        cancel: have those that are in work ended first.
    """
    load_transports(refs.values())

    async def all_of_them() -> list[Seen]:
        return [await _seen(entry, refs.get(entry.name), folder, cancel=cancel) for entry in entries]

    return asyncio.run(all_of_them())


async def _seen(entry: Entry, ref: ModelRef | None, folder: Path, *, cancel: bool) -> Seen:
    if entry.over or not entry.batch or ref is None:
        return Seen(entry, None)
    provider = open_provider(ref)
    try:
        interface: Interface | None = open_interface(ref, provider, folder)
        if interface is None:
            return Seen(entry, None, f"{ref.label} takes no batches by the settings of today")
        standing = await interface.standing(entry.batch)
        if cancel and not standing.over:
            await interface.cancel(entry.batch)
            standing = await interface.standing(entry.batch)
        return Seen(entry, standing)
    except ProviderError as error:
        return Seen(entry, None, str(error))
    finally:
        await provider.aclose()
