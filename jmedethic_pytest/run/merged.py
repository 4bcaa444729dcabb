"""What ``run.json`` says of a run that was made of shards: what they say alike, and the sums of what each has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jmedethic_pytest.core import transcripts
from jmedethic_pytest.core.run_info import Golden, Identity, RunInfo
from jmedethic_pytest.run.shards import Content, StoredShard


def record(shards: Sequence[StoredShard], content: Content, run_id: str, command: Sequence[str]) -> RunInfo:
    """Return the record of the merged run.

    Args:
        shards: all of them, by their numbers.
        content: what they hold.
        run_id: the id of the merged run.
        command: what made it.
    """
    infos = [item.info for item in shards]
    first = infos[0]
    identity, remarks = _identity(infos)
    return first.model_copy(
        update={
            "id": run_id,
            "shard": None,
            "merged": content.merged,
            "started": min(info.started for info in infos),
            "finished": max(info.finished or info.started for info in infos),
            "tool_version": min(info.tool_version for info in infos),
            "git_commit": first.git_commit if len({info.git_commit for info in infos}) == 1 else None,
            "command": tuple(command),
            "replies_of": run_id if any(info.replies_of for info in infos) else "",
            "replayed": next((info.replayed for info in infos if info.replayed), ""),
            "selected": len(content.places),
            "identity": identity,
            "digests": {
                **first.digests,
                "cases": shards[0].shard.cases,
                "transcripts": transcripts.digest_of_all(content.transcripts),
            },
            "golden": _golden(infos),
            "note": "; ".join([f"made of {len(shards)} shards", *_notes(shards), *remarks, *_versions(infos)]),
            "limits": _joined(shards, "limits"),
            "learned": {name: tuple(dict.fromkeys(told)) for name, told in _by_name(infos, "learned").items()},
            **_sums(infos),
        }
    )


def _sums(infos: Sequence[RunInfo]) -> dict[str, Any]:
    """Return calls, tokens and money together, and the mean time of a call."""
    calls, seconds = Counter[str](), defaultdict[str, float](float)
    tokens: dict[str, Counter[str]] = defaultdict(Counter)
    costs: dict[str, list[float | None]] = defaultdict(list)
    for info in infos:
        calls.update(info.calls)
        for name, each in info.seconds_per_call.items():
            seconds[name] += each * info.calls.get(name, 0)
        for name, counts in info.tokens.items():
            tokens[name].update(counts)
        for name, cost in info.cost_usd.items():
            costs[name].append(cost)
    return {
        "calls": dict(calls),
        "tokens": {name: dict(counts) for name, counts in tokens.items()},
        "cost_usd": {name: _sum(each) for name, each in costs.items()},
        "seconds_per_call": {name: total / calls[name] for name, total in seconds.items() if calls[name]},
    }


def _sum(costs: Sequence[float | None]) -> float | None:
    """Return money together; unknown if any part of it is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _golden(infos: Sequence[RunInfo]) -> tuple[Golden, ...] | None:
    """Return what each judge made of golden replies in each language: where shards differ, where it did worst.

    Where they were not asked for one shard, they count as not asked.
    """
    given = [info.golden for info in infos]
    if None in given or () in given:
        return None if None in given else ()
    worst: dict[tuple[str, str], Golden] = {}
    for found in (item for golden in given for item in golden or ()):
        place = (found.locale, found.judge)
        worst[place] = min(worst.get(place, found), found, key=_how_good)
    return tuple(worst.values())


def _how_good(found: Golden) -> tuple[Any, ...]:
    return found.passed, found.ordered, -1.0 if found.auc is None else found.auc, -found.missing, -found.flagged


def _identity(infos: Sequence[RunInfo]) -> tuple[Identity, list[str]]:
    """Return what was seen of the models, and remarks on what was not seen alike; who was served is counted anew."""
    seen = [info.identity for info in infos]
    probes = {item.probes for item in seen if any(item.probes)}
    remarks = []
    if len(probes) > 1:
        remarks.append("the shards' servers do not answer the probes alike: other weights, or other rounding")
    return Identity(
        listed={key: value for item in seen[::-1] for key, value in item.listed.items()},
        fingerprints=tuple(sorted({name for item in seen for name in item.fingerprints})),
        probes=next((item.probes for item in seen if any(item.probes)), ()),
        changes=tuple(dict.fromkeys([*(change for item in seen for change in item.changes), *remarks])),
    ), remarks


def _notes(shards: Sequence[StoredShard]) -> Iterator[str]:
    """Yield the notes of the shards; what all say alike once."""
    notes = {str(item.shard): item.info.note for item in shards}
    if len({*notes.values()}) == 1:
        yield from filter(None, {*notes.values()})
        return
    yield from (f"shard {name}: {note}" for name, note in notes.items() if note)


def _versions(infos: Sequence[RunInfo]) -> Iterator[str]:
    versions = sorted({info.tool_version for info in infos})
    if len(versions) > 1:
        yield f"shards were made with versions {', '.join(versions)}"


def _joined(shards: Sequence[StoredShard], field: str) -> dict[str, tuple[str, ...]]:
    told: dict[str, list[str]] = defaultdict(list)
    for item in shards:
        for name, lines in getattr(item.info, field).items():
            told[name] += [f"shard {item.shard}: {line}" for line in lines]
    return {name: tuple(lines) for name, lines in told.items()}


def _by_name(infos: Sequence[RunInfo], field: str) -> Mapping[str, list[str]]:
    told: dict[str, list[str]] = defaultdict(list)
    for info in infos:
        for name, lines in getattr(info, field).items():
            told[name] += lines
    return told
