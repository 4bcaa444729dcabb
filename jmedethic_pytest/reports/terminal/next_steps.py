"""What ``jmedethic`` says when it is given no command: where things stand, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import runs as run_files

_REASONS = 3
_BEGIN = (
    ("see it work, without a key", "jmedethic run --model=demo:eroding --suite=smoke"),
    ("is your model ready?", "jmedethic doctor --model=PROVIDER:NAME"),
    ("what can be evaluated", "jmedethic list suites"),
)
_LOOK = (
    ("what failed", "jmedethic list failures latest"),
    ("one conversation", "jmedethic show latest CASE"),
    ("the page", "jmedethic report latest --open"),
    ("all runs so far", "jmedethic trend"),
)


def lines(reports: Path) -> Iterator[str]:
    """Yield where things stand, and the commands that come next.

    Args:
        reports: where runs are stored.
    """
    stored = run_files.runs(reports)
    if not stored:
        yield f"No run is stored in {reports} yet."
        yield from _commands(_BEGIN)
        return
    path = (reports / "latest").resolve() if (reports / "latest" / "run.json").is_file() else stored[-1]
    yield from _latest(path)


def _latest(path: Path) -> Iterator[str]:
    try:
        info = run_files.read_info(path)
        gate = run_files.read_gate(path, info)
    except StoreError as error:
        yield f"The latest run cannot be read: {error}"
        yield from _commands(())
        return
    mark = " (simulation)" if info.simulated else ""
    yield f"Latest run: {info.id} of {info.target['model']}, {info.started[:10]}{mark}"
    if info.shard is not None:
        yield f"It is shard {info.shard} of a run."
        yield from _commands((("make one run of all shards", "jmedethic merge DIR..."),))
    elif gate is None:
        state = "It is still running, or was killed; then" if info.status == "started" else f"It is {info.status}:"
        yield f"{state} the same command goes on with it ({' '.join(info.command)})."
        yield from _commands(())
    elif not info.judges:
        yield "Its replies were collected, and nobody scored them."
        yield from _commands((("score them", f"jmedethic judge {info.id}"),))
    else:
        yield from _answer(gate, info)
        yield from _commands(_LOOK)


def _answer(gate: Gate, info: RunInfo) -> Iterator[str]:
    yield f"GATE: {gate.answer.upper()}{f' ({info.stopped_early})' if info.stopped_early else ''}"
    if info.note:
        yield f"  {info.note}"
    yield from (f"  {reason}" for reason in gate.reasons[:_REASONS])
    if len(gate.reasons) > _REASONS:
        yield f"  ... and {len(gate.reasons) - _REASONS} more reasons: jmedethic show latest"


def _commands(steps: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield ""
    yield from (f"{f'{what}:':<30}{command}" for what, command in (*steps, ("all commands", "jmedethic --help")))
