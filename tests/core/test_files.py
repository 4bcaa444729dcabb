"""Files are replaced at one stroke, and trouble is said in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import StoreError


@pytest.mark.parametrize(("content", "stored"), [("日本語\n", "日本語\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_file_is_replaced_and_leaves_no_part(content: str | bytes, stored: bytes, tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    files.replace(path, "before")
    files.replace(path, content)
    assert path.read_bytes() == stored
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_is_said_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match=r"taken/file\.txt: cannot be written: .*\. Give --out\.$"):
        files.replace(tmp_path / "taken" / "file.txt", "text", "Give --out.")


def test_folder_that_is_gone_is_not_made_again_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"run\.json: cannot be written"):
        files.replace(tmp_path / "gone" / "run.json", "{}", make_folder=False)
    assert not (tmp_path / "gone").exists()


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_digest_does_not_depend_on_the_order_of_keys(content: dict[str, int | str]) -> None:
    turned = dict(reversed(content.items()))
    assert files.digest(turned) == files.digest(content)
    assert files.compact_digest(turned) == files.compact_digest(content)


def test_digests_are_those_that_stored_files_hold() -> None:
    content = {"b": ["日", 1], "a": None}
    assert files.digest(content) == files.sha256('{"a": null, "b": ["日", 1]}')
    assert files.compact_digest(content) == files.sha256('{"a":null,"b":["日",1]}')
    assert files.sha256("abc").startswith("ba7816bf")


def test_file_is_read_only_within_its_bounds(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert files.read(path, most=5) == b"12345"
    with pytest.raises(OSError, match="larger than 0 MiB"):
        files.read(path, most=4)
    for odd in (Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="no ordinary file"):
            files.read(odd)


def test_lines_are_numbered_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\n\n345\nend")
    with files.open_ordinary(path) as stream:
        assert list(files.lines(stream, most=4)) == [(1, b"one\n"), (2, b"\n"), (3, b"345\n"), (4, b"end")]
    with files.open_ordinary(path) as stream, pytest.raises(OSError, match="line 1 is longer"):
        list(files.lines(stream, most=3))


def test_private_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for private, mode in ((False, 0o644), (True, 0o600)):
        files.replace(path, "text", private=private)
        assert path.stat().st_mode & 0o777 == mode & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
