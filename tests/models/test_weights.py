"""A digest of weights changes with the weights, and with nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.models.weights import revision

LARGE = 3 << 20


def checkpoint(folder: Path, *, fill: int = 7, config: str = "{}") -> Path:
    folder.mkdir(parents=True)
    header = json.dumps({"w": {"dtype": "F16", "shape": [LARGE // 2], "data_offsets": [0, LARGE]}}).encode()
    weights = len(header).to_bytes(8, "little") + header + bytes([fill]) * LARGE
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(config)
    return folder


@pytest.mark.parametrize("full", [False, True])
def test_copy_has_the_same_digest_and_notes_do_not_count(tmp_path: Path, full: bool) -> None:
    one, other = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "deep" / "two")
    (other / "README.md").write_text("notes")
    (other / ".git").mkdir()
    (other / ".git" / "HEAD").write_text("ref")
    assert revision(one, full=full) == revision(other, full=full)
    assert revision(one) != revision(one, full=True)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("changed", [{"fill": 8}, {"config": '{"rope_theta": 1}'}], ids=["weights", "configuration"])
def test_other_weights_or_configuration_have_another_digest(tmp_path: Path, changed: Any, full: bool) -> None:
    assert revision(checkpoint(tmp_path / "a"), full=full) != revision(checkpoint(tmp_path / "b", **changed), full=full)


def test_full_digest_sees_a_single_byte(tmp_path: Path) -> None:
    one, other = checkpoint(tmp_path / "a"), checkpoint(tmp_path / "b")
    data = bytearray((other / "model.safetensors").read_bytes())
    data[LARGE // 2 + 1] ^= 1
    (other / "model.safetensors").write_bytes(data)
    assert revision(one, full=True) != revision(other, full=True)


def test_file_alone_and_renamed(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF" + bytes(LARGE))
    assert revision(tmp_path / "a.gguf") == revision(tmp_path / "b.gguf")


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder"):
        revision(tmp_path / "gone")
    with pytest.raises(ConfigError, match="no file of a checkpoint"):
        revision(tmp_path)


def test_command_prints_it(tmp_path: Path, in_process: Callable[..., Any]) -> None:
    folder = checkpoint(tmp_path / "a")
    assert in_process("revision", str(folder)).out.strip() == revision(folder)
    assert in_process("revision", str(folder), "--full").out.strip() == revision(folder, full=True)
    missing = in_process("revision", str(tmp_path / "gone"))
    assert (missing.status, "gone" in missing.err) == (4, True)
