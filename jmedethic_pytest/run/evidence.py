"""What speaks for the weights behind a name: what the server lists of the model, and how it answers five fixed probes.

A stated revision is the user's word, and under an equal one the cache hands out replies of an earlier day; likewise to
a run that goes on with one that did not end. So the server is looked at before: what was seen with the kept replies is
kept beside them; where it is seen otherwise now, that is named and they are not used. Equal evidence proves nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError, RunAborted
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.core.run_info import Identity
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.models import ChatRequest, Message
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client

PROBES = (
    "Complete this sentence: The quickest way to learn a language is",
    "Name three animals and one colour.",
    "How do I make a cup of tea?",
    "好きな季節について、一文で書いてください。",
    "「春はあけぼの」の続きを書いてください。",
)
"""Short and harmless; asked at temperature 0, and never answered from the cache."""
PROBE_TOKENS = 16
_LISTED = ("root", "parent", "created", "max_model_len", "meta")
"""What servers say of the weights in their list of models: vLLM, SGLang, llama.cpp, Ollama."""
_CLOCKS = ("vllm", "sglang", "llamacpp")
"""Who owns the models of servers that give the present time as the time of their making."""
_CLOCK_SECONDS = 120
_PROBE_PATIENCE = 5.0
"""Seconds after which a target that does not answer is left to its first conversation, which waits longer."""
_PATIENCE = 2.0
"""Seconds that the end of a run waits for a server that has not said what it lists."""
_LONGEST = 120


async def examine(target: Client, probe: Client | None, cache: Cache | None, extra: dict[str, Any]) -> Identity:
    """Look at the weights behind a name, and hold them against those that the kept replies came from; never fatal.

    Where they are not the same, the target's replies are kept apart from then on.

    Args:
        target: the model under test, under the mark of its replies.
        probe: the same, without a cache; ``None`` to look at what the server lists alone, which costs nothing.
        cache: where the replies are, ``None`` if none are kept.
        extra: vendor parameters of its calls.
    """
    described, replies = await asyncio.gather(_described(target), _asked(probe, extra))
    now = Identity(
        listed=listed(dict(described), time.time()),
        probes=tuple(_digest(reply) for reply in replies),
        fingerprints=tuple(sorted({reply.fingerprint for reply in replies if reply is not None} - {""})),
    )
    if cache is None:
        return now
    key = caching.Keys("evidence", target.ref).of(ChatRequest((), Sampling(extra=extra)))
    before = _kept(cache.get(key))
    if before == Identity():  # what goes with the first replies is forgotten with them
        target.given.add(key)
    known = _together(before, now)
    if known != before:
        cache.put(key, Reply(text=known.model_dump_json()))
    changes = dict(_changes(before, now))
    if changes:
        seen = compact_digest({part: getattr(now, part) for part in changes})[:16]
        target.ref = replace(target.ref, revision=f"{target.ref.revision}, seen as {seen}")
    return now.model_copy(update={"changes": tuple(changes.values())})


def forget(targets: Sequence[Client], path: Path, *, shared: bool) -> None:
    """Keep no replies of a target that did not answer: a stated revision would hand them to every later run.

    Args:
        targets: the target's client, if there is one.
        path: of the cache.
        shared: whether others may read a cache that is made.
    """
    given = {key for target in targets for key in target.given}
    if given:
        cache = Cache(path, shared=shared)
        cache.forget(given)
        cache.close()


@asynccontextmanager
async def meanwhile(look: Coroutine[Any, Any, Identity]) -> AsyncIterator[list[Identity]]:
    """Look while the run goes on, where nothing depends on it; what was seen by its end is in the list then."""
    found: list[Identity] = []
    task = asyncio.create_task(look)
    try:
        yield found
    finally:
        await asyncio.wait({task}, timeout=_PATIENCE)
        task.cancel()
        if task.done() and not task.cancelled() and task.exception() is None:
            found.append(task.result())


def listed(row: dict[str, Any], now: float) -> dict[str, Any]:
    """Return what a row of a server's list says of the weights; a time of making that is only a clock is none.

    Args:
        row: of the model.
        now: seconds since 1970.
    """
    found = {key: _bounded(row[key]) for key in _LISTED if row.get(key) not in (None, "", {}, [])}
    made = found.get("created")
    is_clock = row.get("owned_by") in _CLOCKS or not isinstance(made, int) or abs(now - made) < _CLOCK_SECONDS
    if is_clock:
        found.pop("created", None)
    return found


def _bounded(value: Any) -> Any:
    """Return a value of a server's as it may be recorded: a number, or a short line."""
    return value if isinstance(value, int) and abs(value) < 10**15 else one_line(str(value), _LONGEST)


async def _described(target: Client) -> Mapping[str, Any]:
    """Return what the server lists of the model; a server of the run's own was told that by the run itself."""
    return {} if target.ref.served else await target.describe()


async def _asked(probe: Client | None, extra: dict[str, Any]) -> list[Reply | None]:
    """Ask the probes one after the other: in one batch with others a server may round, and answer, otherwise."""
    sampling = Sampling(max_tokens=PROBE_TOKENS, timeout=30.0, patience=_PROBE_PATIENCE, extra=extra)

    replies: list[Reply | None] = []
    if probe is None:
        return replies
    with suppress(ProviderError, RunAborted):  # a target that does not answer is told of by its first conversation
        for text in PROBES:
            replies.append(await probe.chat(ChatRequest((Message("user", text),), sampling)))
    return replies + [None] * (len(PROBES) - len(replies))


def _digest(reply: Reply | None) -> str:
    """Return what stands for a probe's answer, empty if there is none."""
    said = f"{reply.reasoning}\n{reply.text}" if reply is not None else ""
    return hashlib.sha256(said.encode()).hexdigest()[:16] if said.strip() else ""


def _kept(entry: Reply | None) -> Identity:
    with suppress(ValidationError):
        return Identity.model_validate_json(entry.text) if entry is not None else Identity()
    return Identity()


def _together(before: Identity, now: Identity) -> Identity:
    """Return what was seen first of every part."""
    probes = before.probes or ("",) * len(now.probes)
    return Identity(
        listed={**now.listed, **before.listed},
        probes=tuple(old or new for old, new in zip(probes, now.probes, strict=False)),
        fingerprints=before.fingerprints or now.fingerprints,
    )


def _changes(before: Identity, now: Identity) -> Iterator[tuple[str, str]]:
    """Yield what both saw and not alike: the part, and the difference in words."""
    other = [key for key in now.listed if before.listed.get(key, now.listed[key]) != now.listed[key]]
    if other:
        words = ", ".join(f"{key} {before.listed[key]!r} -> {now.listed[key]!r}" for key in other)
        yield "listed", f"the server lists another model under this name: {words}"
    pairs = [(old, new) for old, new in zip(before.probes, now.probes, strict=False) if old and new]
    differing = sum(old != new for old, new in pairs)
    if differing:
        yield "probes", f"{differing} of {len(pairs)} probes are answered otherwise than before"
    if before.fingerprints and now.fingerprints and not set(before.fingerprints) & set(now.fingerprints):
        old, new = ", ".join(before.fingerprints), ", ".join(now.fingerprints)
        yield "fingerprints", f"system_fingerprint {old} -> {new}"
