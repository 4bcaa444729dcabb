"""One model's requests handed over at once: what is noted when, what a crash leaves behind, what comes back."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.servers import Dialect
from jmedethic_pytest.core.errors import RunAborted, StoreError
from jmedethic_pytest.models import ChatRequest, Message, ModelRef
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.batches import sender as senders
from jmedethic_pytest.models.batches.base import Limits, Pending
from jmedethic_pytest.models.batches.command import Command
from jmedethic_pytest.models.batches.journal import Entry, Journal
from jmedethic_pytest.models.batches.opening import open_interface
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.transport import Transport
from support.batch_server import BatchServer
from support.chat_server import ChatServer, running

SMALL = Limits(lines=3, bytes=2**20)


@pytest.fixture
def batches() -> Iterator[BatchServer]:
    with running() as server:
        yield BatchServer(server)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "FIRST_LOOK", 0.001)


def model(server: ChatServer, kind: str, **dialect: Any) -> ModelRef:
    way = {"openai": "files", "anthropic": "messages", "openrouter": "inline"}[kind]
    kind = "anthropic" if kind == "anthropic" else "openai"
    address = server.openai_url if kind == "openai" else server.anthropic_url
    settings = Dialect(**{"batch": way, **dialect})
    return ModelRef(
        provider="mine", name="m", kind=kind, base_url=address, api_key="sk-key-0123456789", dialect=settings
    )


def request(number: int) -> ChatRequest:
    return ChatRequest((Message("user", f"Question {number}?"),), Sampling())


class Crash(BaseException):
    """What a kill is to a process."""


async def hand_over(ref: ModelRef, folder: Path, count: int, limits: Limits = SMALL) -> senders.Sender:
    """Have so many requests answered, as a process does that begins anew."""
    cache = Cache(folder / "cache.sqlite")
    client = Client("target", ref, cache)
    journal = Journal(folder / "batches")
    provider = client.provider
    assert isinstance(provider, Transport)
    interface = open_interface(ref, provider, journal.folder)
    assert interface is not None
    try:
        with journal.locked():
            sender = senders.Sender(client, provider, interface, journal, limits)
            going = True
            while going:
                for number in range(count):
                    asked = request(number)
                    key = client.keys.of(asked)
                    if cache.get(key) is None:
                        await sender.take(key, asked)
                going = await sender.close(0)
                await sender.settle()
        return sender
    finally:
        await client.aclose()
        cache.close()


def kept(ref: ModelRef, folder: Path, count: int) -> list[bool]:
    cache = Cache(folder / "cache.sqlite")
    found = [cache.get(caching.Keys("target", ref).of(request(number))) is not None for number in range(count)]
    cache.close()
    return found


def asked(batches: BatchServer) -> Counter[str]:
    bodies = [*batches.lines, *(seen.body for seen in batches.singles)]
    return Counter(json.dumps([body["model"], body["messages"]], sort_keys=True) for body in bodies)


@pytest.mark.parametrize("kind", ["openai", "anthropic", "openrouter"])
def test_a_crash_at_any_moment_pays_nothing_twice(
    kind: str, batches: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is stopped before it writes its first, second, ... note, or right after; another one goes on."""
    write = Journal.note
    crashes = 0
    for moment in range(60):
        monkeypatch.setattr(Journal, "note", _stopping(write, moment // 2 + 1, after=bool(moment % 2)))
        ref, folder = replace(model(batches.server, kind), name=f"m{moment}"), tmp_path / str(moment)
        try:
            asyncio.run(hand_over(ref, folder, 7))
            break
        except Crash:
            crashes += 1
        monkeypatch.setattr(Journal, "note", write)
        asyncio.run(hand_over(ref, folder, 7))
        assert all(kept(ref, folder, 7)), moment
        assert max(asked(batches).values()) == 1, f"paid twice after a crash at moment {moment}"
    assert crashes > 8


def _stopping(write: Any, last: int, *, after: bool) -> Any:
    """Return what writes notes until the last one, and stops before that or right after."""
    written = 0

    def note(self: Journal, entry: Entry) -> Entry:
        nonlocal written
        written += 1
        if written == last and not after:
            raise Crash
        found: Entry = write(self, entry)
        if written == last:
            raise Crash
        return found

    return note


@pytest.mark.parametrize("kind", ["openai", "anthropic", "openrouter"])
def test_no_batch_is_larger_than_it_may_be(kind: str, batches: BatchServer, tmp_path: Path) -> None:
    ref = model(batches.server, kind)
    asyncio.run(hand_over(ref, tmp_path, 10))
    assert batches.sizes == [3, 3, 3]
    line = len(Journal(tmp_path / "batches").entries)
    assert line == 3
    asyncio.run(hand_over(ref, tmp_path, 12, Limits(lines=100, bytes=1)))
    assert batches.sizes == [3, 3, 3, 1], "a line that is too long for any batch goes alone"


def test_equal_requests_stand_once_in_a_batch(batches: BatchServer, tmp_path: Path) -> None:
    ref = model(batches.server, "openai")

    async def twice() -> None:
        cache, journal = Cache(tmp_path / "cache.sqlite"), Journal(tmp_path / "batches")
        client = Client("target", ref, cache)
        provider = client.provider
        assert isinstance(provider, Transport)
        interface = open_interface(ref, provider, journal.folder)
        assert interface is not None
        sender = senders.Sender(client, provider, interface, journal)
        for number in (0, 1, 1, 2, 1):
            await sender.take(client.keys.of(request(number)), request(number))
        await sender.close(0)
        await sender.settle()
        await client.aclose()

    asyncio.run(twice())
    assert batches.sizes == [2]


def test_two_processes_do_not_hand_over_the_same(tmp_path: Path) -> None:
    with Journal(tmp_path).locked(), pytest.raises(StoreError, match="another process hands batches over"):
        Journal(tmp_path).locked().__enter__()


def test_a_damaged_note_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"name": "a"', encoding="utf-8")
    with pytest.raises(StoreError, match="Look with the provider whether one runs"):
        Journal(tmp_path)


@pytest.mark.parametrize(("status", "said"), [(401, "HTTP 401"), (404, "HTTP 404")])
def test_a_server_without_batches_is_told_and_leaves_no_note(
    status: int, said: str, batches: BatchServer, tmp_path: Path
) -> None:
    ref = model(batches.server, "openai")
    usual = batches._answer
    batches.server.script = lambda seen: (
        ChatServer.error(status, "no files here") if seen.path == "/v1/files" else usual(seen)
    )
    with pytest.raises(RunAborted, match=said):
        asyncio.run(hand_over(ref, tmp_path, 4))
    assert not Journal(tmp_path / "batches").entries


# ------------------------------------------------------------------ a program on this machine

PROGRAM = """
import json, os, sys, time
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
lines = [json.loads(line) for line in open(given["-i"], encoding="utf-8")]
with open({seen!r}, "a") as seen:
    seen.write(f"{{given['--model']}} {{len(lines)}}\\n")
while os.path.exists({hold!r}):
    time.sleep(0.01)
if {fails!r}:
    sys.exit("CUDA out of memory")
def answer(line):
    message = {{"role": "assistant", "content": "a reply to " + line["body"]["messages"][-1]["content"]}}
    body = {{"model": "m", "choices": [{{"finish_reason": "stop", "message": message}}]}}
    response = {{"status_code": 200, "body": body}}
    return {{"id": "vllm-1", "custom_id": line["custom_id"], "response": response, "error": None}}
with open(given["-o"], "w", encoding="utf-8") as out:
    out.writelines(json.dumps(answer(line)) + "\\n" for line in reversed(lines[{skips}:]))
"""


def program(folder: Path, **settings: Any) -> str:
    """Write a stand-in of ``vllm run-batch`` and return its command."""
    how = {"seen": str(folder / "seen"), "hold": str(folder / "hold"), "fails": False, "skips": 0, **settings}
    (folder / "program.py").write_text(PROGRAM.format(**how), encoding="utf-8")
    return shlex.join([sys.executable, "-S", str(folder / "program.py")])


def local(folder: Path, command: str) -> ModelRef:
    dialect = Dialect(batch="command", batch_command=command)
    return ModelRef(provider="bulk", name="org/m", kind="openai", base_url="http://127.0.0.1:9/v1", dialect=dialect)


def test_a_program_answers_a_file_and_leaves_none(tmp_path: Path) -> None:
    ref = local(tmp_path, program(tmp_path, skips=1))
    sender = asyncio.run(hand_over(ref, tmp_path, 5))
    assert kept(ref, tmp_path, 5) == [False, True, True, True, True]
    assert dict(sender.reasons) == {"no answer in a batch that is over": 1}
    assert (tmp_path / "seen").read_text() == "org/m 5\n"
    assert {path.suffix for path in (tmp_path / "batches").iterdir()} <= {".json", ""}


def test_a_program_outlives_whoever_began_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = local(tmp_path, program(tmp_path))
    (tmp_path / "hold").touch()

    async def killed(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(senders.Sender, "_is_over", killed)
        with pytest.raises(Crash):
            asyncio.run(hand_over(ref, tmp_path, 4))
    (tmp_path / "hold").unlink()
    asyncio.run(hand_over(ref, tmp_path, 4))
    assert all(kept(ref, tmp_path, 4))
    assert (tmp_path / "seen").read_text() == "org/m 4\n", "it was begun once"


def test_a_program_that_fails_ends_the_run_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RunAborted, match=r"ended without an answer: CUDA out of memory\. The same command starts it"):
        asyncio.run(hand_over(local(tmp_path, program(tmp_path, fails=True)), tmp_path, 4))
    assert not Journal(tmp_path / "batches").entries
    with pytest.raises(RunAborted, match=r"'no-such-program' cannot be started"):
        asyncio.run(hand_over(local(tmp_path, "no-such-program"), tmp_path, 4))


def test_a_program_that_is_cancelled_ends(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    command = Command(local(tmp_path, program(tmp_path)), tmp_path)

    async def ended() -> tuple[bool, str]:
        pending = Pending("n", frozenset("k"), 0.0, "")
        await command.send(pending, [b"{}"], lambda _: None)
        before = await command.standing("n")
        await command.cancel("n")
        while not (now := await command.standing("n")).over:
            await asyncio.sleep(0.01)
        return before.over, now.trouble

    assert asyncio.run(ended())[0] is False
