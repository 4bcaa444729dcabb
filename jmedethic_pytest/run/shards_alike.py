"""Were shards made alike? All that ``run.json`` says must be equal, but for what each run has of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jmedethic_pytest.core.run_info import RunInfo

_OF_ITS_OWN = {
    *("id", "status", "started", "finished", "command", "selected", "shard", "note", "concurrency"),
    *("tokens", "calls", "cost_usd", "seconds_per_call", "limits", "learned", "stopped_by_budget"),
    *(
        "replies_of",
        "replayed",
        "golden",
        "identity",
        "tool_version",
        "git_commit",
        "looks",
        "transcripts_of",
        "unasked",
    ),
}
"""Fields that may differ, or of which more is said below; every other one must be equal."""
_CLOCK = "created"
"""What a server lists of a model that may be only the time when it was started."""
_AGAIN = "Next: make the odd shards again, like the others"
_STATE = "Next: state the weights of all shards (--jmed-revision), or serve all of them from one place"


def differences(shards: Sequence[tuple[str, RunInfo]]) -> Iterator[str]:
    """Yield how shards were not made alike; each one is held against the first.

    Args:
        shards: name and record of each.
    """
    if not shards:
        return
    (first, before), *others = shards
    for name, now in others:
        for what, old, new, advice in (*_asked(before, now), *_answered(before, now)):
            yield f"{name} was made otherwise than {first}: {what}: {_shown(new)}, there {_shown(old)}. {advice}."


def _asked(before: RunInfo, now: RunInfo) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield where two runs were not told the same."""
    ours, theirs = _plain(before), _plain(now)
    known = before.simulated or bool(before.target.get("revision"))
    if known:
        for plain in (ours, theirs):
            plain["target"].pop("base_url", None)
    for what, old, new in _unequal(ours, theirs):
        yield what, old, new, _STATE if what == "target.base_url" else _AGAIN
    if before.git_commit != now.git_commit and not known:
        yield "git_commit", before.git_commit, now.git_commit, _STATE
    if _meaning(before.tool_version) != _meaning(now.tool_version):
        yield "tool_version", before.tool_version, now.tool_version, _AGAIN


def _plain(info: RunInfo) -> dict[str, Any]:
    found = info.model_dump(mode="json", exclude=_OF_ITS_OWN)
    if info.shard is not None:
        found["division"] = {"shards": info.shard.count, "cases": info.shard.cases}
    found["digests"] = {key: value for key, value in found["digests"].items() if key not in ("cases", "transcripts")}
    return found


def _meaning(version: str) -> list[str]:
    """Return the part of a version in which what it measures may change: all but the last number."""
    return version.split(".")[:2]


def _answered(before: RunInfo, now: RunInfo) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield where others answered, as far as their servers say who they are."""
    ours, theirs = before.identity, now.identity
    for role in sorted(ours.served.keys() & theirs.served.keys()):
        old, new = sorted(ours.served[role]), sorted(theirs.served[role])
        if old != new:
            yield f"served as {role}", old, new, _AGAIN
    for key in sorted((ours.listed.keys() & theirs.listed.keys()) - {_CLOCK}):
        if ours.listed[key] != theirs.listed[key]:
            yield f"the server lists {key}", ours.listed[key], theirs.listed[key], _AGAIN


def _unequal(before: Any, now: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each value in two trees that is not the same, with its place."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted(before.keys() | now.keys()):
            yield from _unequal(before.get(key), now.get(key), f"{place}.{key}" if place else str(key))
    elif before != now:
        yield place, before, now


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
