"""Caches of several machines in one: the first reply stays, and what cannot be read costs a line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jmedethic_pytest.core.records import Reply
from jmedethic_pytest.models import cache_merging
from jmedethic_pytest.models.cache import Cache


def filled(path: Path, replies: dict[str, str]) -> Path:
    cache = Cache(path)
    for key, text in replies.items():
        cache.put(key, Reply(text=text))
    cache.close()
    return path


def held(path: Path, keys: str) -> list[str]:
    cache = Cache(path)
    found = [reply.text for key in keys if (reply := cache.get(key)) is not None]
    cache.close()
    return found


def test_the_first_reply_to_a_call_stays(tmp_path: Path) -> None:
    into = filled(tmp_path / "cache.sqlite", {"a": "mine"})
    long = "x" * 5_000
    others = [
        filled(tmp_path / f"{name}.sqlite", replies)
        for name, replies in (("one", {"a": "other", "b": "first"}), ("two", {"b": "second", "c": long}))
    ]
    assert cache_merging.merge([*others, into, tmp_path / "nowhere.sqlite"], into) == []
    assert held(into, "abc") == ["mine", "first", long]
    assert held(others[0], "ab") == ["other", "first"]


def test_a_damaged_cache_is_named_and_left_alone(tmp_path: Path) -> None:
    damaged, good = tmp_path / "damaged.sqlite", filled(tmp_path / "good.sqlite", {"a": "kept"})
    damaged.write_bytes(b"no database" * 1000)
    (note,) = cache_merging.merge([damaged, good], tmp_path / "new" / "cache.sqlite")
    assert note.startswith(f"{damaged} cannot be read (")
    assert held(tmp_path / "new" / "cache.sqlite", "a") == ["kept"]
    assert damaged.read_bytes().startswith(b"no database")


def test_a_cache_on_a_medium_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    filled(folder / "cache.sqlite", {"a": "kept"})
    (folder / "cache.sqlite").chmod(0o400)
    folder.chmod(0o500)
    try:
        assert cache_merging.merge([folder / "cache.sqlite"], tmp_path / "cache.sqlite") == []
    finally:
        folder.chmod(0o700)
    assert held(tmp_path / "cache.sqlite", "a") == ["kept"]


def test_merges_at_once_do_no_harm(tmp_path: Path) -> None:
    others = [filled(tmp_path / f"{name}.sqlite", {name: name}) for name in "abcd"]
    into = tmp_path / "cache.sqlite"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda path: cache_merging.merge([path], into), others)) == [[]] * 4
    assert held(into, "abcd") == list("abcd")
