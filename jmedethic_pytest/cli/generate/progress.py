"""The progress of a stage: a bar on a terminal, a line a minute in a log; counts, never texts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from jmedethic_pytest.cli.app import err
from jmedethic_pytest.generation.machinery.ledger import Progress, State

LOG_EVERY_SECONDS = 60.0


@contextmanager
def watching(stage: str) -> Iterator[Progress]:
    """Show the progress of a stage while the block runs; the block reports it by calling what it is given."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    last = time.monotonic()
    with Bars(*columns, console=err, disable=not err.is_terminal, transient=True) as bars:
        task = bars.add_task(stage, total=None)

        def show(state: State) -> None:
            nonlocal last
            text = f"{state.stage}: {state.kept} kept, {state.dropped} dropped"
            bars.update(task, completed=state.done, total=state.planned, description=text)
            if not err.is_terminal and time.monotonic() - last >= LOG_EVERY_SECONDS:
                last = time.monotonic()
                of = f" of {state.planned}" if state.planned is not None else ""
                err.print(f"{state.stage}: {state.done}{of} items done, {state.kept} kept, {state.dropped} dropped")

        yield show
