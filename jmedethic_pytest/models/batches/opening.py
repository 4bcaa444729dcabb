"""The batch interface of a model, if its provider has one."""

from __future__ import annotations

from pathlib import Path

from jmedethic_pytest.models.base import ModelRef, Provider
from jmedethic_pytest.models.batches.base import Interface
from jmedethic_pytest.models.batches.command import Command
from jmedethic_pytest.models.batches.files import Files
from jmedethic_pytest.models.batches.inline import Inline
from jmedethic_pytest.models.batches.messages import Messages
from jmedethic_pytest.models.transport import Transport


def open_interface(ref: ModelRef, provider: Provider, folder: Path) -> Interface | None:
    """Return how requests for a model are handed over at once; ``None`` if they are not.

    Args:
        ref: the model.
        provider: the way to its server.
        folder: for the files of a program on this machine.
    """
    way = ref.dialect.batch
    if not ref.takes_batches or not isinstance(provider, Transport):
        return None
    if way == "command":
        return Command(ref, folder)
    if way == "inline":
        return Inline(provider, ref)
    return Messages(provider, ref.label) if way == "messages" else Files(provider, ref.label)
