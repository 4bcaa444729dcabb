"""Settings that nobody would write by hand are refused in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jmedethic_pytest.core import toml
from jmedethic_pytest.core.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        b"x = " + b"[" * 5_000 + b"]" * 5_000,
        b"x = " + b"[" * 150 + b"]" * 150,
        b"x = " + b"{a=" * 5_000 + b"1" + b"}" * 5_000,
        b".".join([b"a"] * 20_000) + b" = 1",
        b"x = 1\n" + b".".join([b"a"] * 300) + b" = 1",
        b"x = " + b"9" * 5_000,
        b"\xff\xfe\0",
        b"x = \0",
        b"x = 1\nx = 2",
    ],
    ids=lambda text: repr(text[-8:]),
)
def test_odd_file_is_refused_in_one_line(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=r"t\.toml: not valid TOML: [^\n]*\.$"):
        toml.read(path, "Give another one.")


def test_file_without_an_end_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ConfigError, match=r"pipe\.toml: cannot be read: it is no ordinary file\. Give another one\."):
        toml.read(tmp_path / "pipe.toml", "Give another one.")


def test_byte_order_mark_and_depth_of_a_person_are_fine() -> None:
    assert toml.parse(b"\xef\xbb\xbfa.b.c = [[1]]") == {"a": {"b": {"c": [[1]]}}}
