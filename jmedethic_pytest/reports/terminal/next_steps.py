"""What ``jmedethic`` says when it is given no command: where things stand, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import Said, named, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.store import runs as run_files

_REASONS = 3
_BEGIN = (
    ("do.demo", "jmedethic run --model=demo:eroding --suite=smoke"),
    ("do.doctor", "jmedethic doctor --model=PROVIDER:NAME"),
    ("do.suites", "jmedethic list suites"),
)
_LOOK = (
    ("do.failures", "jmedethic list failures latest"),
    ("do.show", "jmedethic show latest CASE"),
    ("do.report", "jmedethic report latest --open"),
    ("do.trend", "jmedethic trend"),
)


def lines(reports: Path) -> Iterator[str]:
    """Yield where things stand, and the commands that come next.

    Args:
        reports: where runs are stored.
    """
    stored = run_files.runs(reports)
    if not stored:
        yield say("next.none", reports=reports)
        yield from _commands(_BEGIN)
        return
    path = (reports / "latest").resolve() if (reports / "latest" / "run.json").is_file() else stored[-1]
    yield from _latest(path)


def _latest(path: Path) -> Iterator[str]:
    try:
        info = run_files.read_info(path)
        gate = run_files.read_gate(path, info)
    except StoreError as error:
        yield say("next.unread", error=error)
        yield from _commands(())
        return
    latest = "next.latest.simulated" if info.simulated else "next.latest"
    yield say(latest, run=info.id, model=info.target["model"], date=info.started[:10])
    if info.shard is not None:
        yield say("next.shard", shard=info.shard)
        yield from _commands((("do.merge", "jmedethic merge DIR..."),))
    elif gate is None:
        state, command = named("run_status", info.status), " ".join(info.command)
        running = info.status == "started"
        yield say("next.running", command=command) if running else say("next.is", status=state, command=command)
        yield from _commands(())
    elif not info.judges:
        yield say("next.collected")
        yield from _commands((("do.judge", f"jmedethic judge {info.id}"),))
    else:
        yield from _answer(gate, info)
        yield from _commands(_LOOK)


def _answer(gate: Gate, info: RunInfo) -> Iterator[str]:
    where = info.stopped_early
    yield say("gate.at" if where else "gate.line", answer=names.loud(gate.answer), where=where)
    if info.note:
        yield say("indented", line=info.note)
    yield from (say("indented", line=reason) for reason in _reasons(gate)[:_REASONS])
    if len(gate.reasons) > _REASONS:
        yield say("next.more", count=len(gate.reasons) - _REASONS)


def _reasons(gate: Gate) -> list[Said]:
    """Return what keeps a stored gate from passing: as it is told in English, by its names in Japanese."""
    bad = [item for answer in ("fail", "inconclusive") for item in gate.conditions if item.answer == answer]
    short = (say("pair.colon", name=names.condition(item.name), value=names.answer(item.answer)).ja for item in bad)
    return [Said(*both) for both in zip(gate.reasons, short, strict=False)]


def _commands(steps: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield ""
    for what, command in (*steps, ("do.help", "jmedethic --help")):
        yield say("next.command", what=say("next.what", what=say(what)), command=command)
