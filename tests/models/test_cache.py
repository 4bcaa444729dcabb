"""A cache costs money, never a run: whatever its file is, replies are asked for again, and a note says so."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import resolve
from jmedethic_pytest.models.base import ChatRequest, Message
from jmedethic_pytest.models.cache import Cache, Keys
from jmedethic_pytest.models.client import Client

REPLY = Reply(text="kept")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound file with some hundred replies."""
    file = tmp_path / "reports" / "cache.sqlite"
    cache = Cache(file)
    for number in range(300):
        cache.put(str(number), Reply(text="x" * 200 + str(number)))
    cache.close()
    assert not cache.note
    return file


def _overwrite(path: Path, begin: int, length: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(begin)
        stream.write(os.urandom(length))


def _other_schema(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE reply (a, b, c)")
    db.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(os.urandom(50_000)),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: _overwrite(path, 0, 100),
        lambda path: _overwrite(path, 4096, 4096),
        lambda path: _overwrite(path, 4096, path.stat().st_size - 4096),
        _other_schema,
    ],
    ids=["noise", "half", "header", "page", "all but the header", "other schema"],
)
def test_damaged_file_is_set_aside_when_it_is_met(path: Path, damage: Callable[[Path], object]) -> None:
    damage(path)
    cache = Cache(path)
    found = [cache.get(str(number)) for number in range(300)]
    cache.put("new", REPLY)
    assert cache.get("new") == REPLY.model_copy(update={"cached": True})
    cache.close()
    assert f"{path} was damaged" in cache.note
    assert list(path.parent.glob("cache.sqlite.damaged-*"))
    assert all(reply is None or reply.text.startswith("x") for reply in found)
    again = Cache(path)
    assert (again.get("new"), again.note) == (REPLY.model_copy(update={"cached": True}), "")
    again.close()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\0\xff",
        b'{"text": "x", "score": 10}',
        b'{"text": "\\ud83d"}',
        b"{" * 5_000,
        zlib.compress(b" " * 70_000_000),
        zlib.compress(b'{"text": "x"}')[:-1],
        "text",
        5,
    ],
    ids=repr,
)
def test_damaged_entry_is_asked_again_and_replaced(path: Path, value: object) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE reply SET value = ? WHERE key = '7'", (value,))
    db.close()
    cache = Cache(path)
    assert cache.get("7") is None
    cache.put("7", REPLY)
    assert cache.get("7") is not None
    assert not cache.note
    cache.close()


def test_file_that_is_locked_for_ever_is_gone_on_without(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache = Cache(path, patience=0.05)
    cache.put("new", REPLY)
    assert cache.get("new") is None
    assert "cannot be used (database is locked); the run went on without a cache" in cache.note
    other.close()
    assert not list(path.parent.glob("*.damaged-*"))


@pytest.mark.parametrize("kind", ["folder", "dangling link", "parent is a file"])
def test_place_where_no_file_can_be_is_gone_on_without(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cache.sqlite"
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere" / "x")
    else:
        tmp_path.joinpath("file").write_text("")
        path = tmp_path / "file" / "cache.sqlite"
    cache = Cache(path, patience=0.05)
    cache.put("new", REPLY)
    assert cache.get("new") is None
    assert cache.note.count("the run went on without a cache") == 1
    cache.close()


def test_new_file_is_for_its_owner_alone_unless_shared(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        for shared, mode in ((False, 0o600), (True, 0o644)):
            path = tmp_path / f"{shared}.sqlite"
            cache = Cache(path, shared=shared)
            cache.put("new", REPLY)
            beside = list(tmp_path.glob(f"{shared}.sqlite*"))
            assert len(beside) == 3
            assert {file.stat().st_mode & 0o777 for file in beside} == {mode}
            cache.close()
    finally:
        os.umask(mask)


def test_keys_are_those_of_the_caches_there_are_whatever_was_asked_before() -> None:
    """They are pinned: with other ones everything would be paid for again."""
    keys = Keys("target", resolve("compatible:m", place="here", base_url="http://127.0.0.1:1/v1"))
    plain, warm = Sampling(), Sampling(temperature=0.7, extra={"a": [1, "ü"]})
    schema = {"type": "object", "b": [1.5, None, True]}
    asked = Message("user", "問い")
    requests = [
        ChatRequest((Message("system", "s"), asked), plain),
        ChatRequest((asked,), warm, schema, 3),
        ChatRequest((asked,), plain, schema),
        ChatRequest((), plain),
    ]
    expected = ["d05809c2", "f3739ded", "a008967d", "52c28729"]
    for _ in range(2):
        assert [keys.of(request)[:8] for request in requests] == expected


def test_client_whose_model_turns_out_to_be_another_has_other_keys() -> None:
    """Else a model that changed under a stated revision would be answered for by the one before it, and might pass."""
    client = Client("target", resolve("compatible:m", place="here", base_url="http://127.0.0.1:1/v1"), None)
    asked = ChatRequest((Message("user", "q"),), Sampling())
    before = client.keys.of(asked)
    client.ref = replace(client.ref, revision="stated r, seen as other")
    assert client.keys.of(asked) == Keys("target", client.ref).of(asked) != before
