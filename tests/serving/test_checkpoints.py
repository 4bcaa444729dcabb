"""What is read of weights at a path."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.serving import checkpoints


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def header(*entries: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries)) + b"".join(entries)


ARCHITECTURE = text("general.architecture") + struct.pack("<I", 8) + text("llama")
TOKENS = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("あ") + text("b")
NESTED = text("odd") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ", 4, 2) + struct.pack("<II", 1, 2)
LENGTH = text("llama.context_length") + struct.pack("<II", 4, 2048)


def test_a_gguf_file_says_its_context_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "my model.gguf"
    path.write_bytes(header(ARCHITECTURE, TOKENS, NESTED, LENGTH))
    found = checkpoints.checkpoint(str(path), "--jmed-serve")
    assert (found.form, found.context, found.name) == ("gguf", 2048, "my-model")


@pytest.mark.parametrize(
    "content", [header(ARCHITECTURE), header(LENGTH)[:-2], header(text("x") + struct.pack("<I", 77)), b"GGUF"]
)
def test_a_header_that_does_not_say_it_is_unknown_and_no_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gguf").write_bytes(content)
    assert checkpoints.checkpoint(str(tmp_path / "a.gguf"), "--jmed-serve").context is None


@pytest.mark.parametrize(
    ("config", "context"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"text_config": {"max_position_embeddings": 8192}}, 8192),
        ({"max_position_embeddings": "many"}, None),
        ([], None),
    ],
)
def test_a_folder_says_its_context_in_its_config(tmp_path: Path, config: object, context: int | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert checkpoints.checkpoint(str(tmp_path), "--jmed-serve").context == context


def test_an_adapter_stands_behind_the_last_colon_unless_the_path_is_there(tmp_path: Path) -> None:
    odd = tmp_path / "a:b"
    odd.mkdir()
    assert checkpoints.split(str(odd)) == (str(odd), None)
    assert checkpoints.split(f"{odd}:c") == (str(odd), "c")
    assert checkpoints.split("base") == ("base", None)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "there is nothing at"),
        (lambda path: path.write_bytes(b"PK"), "is no GGUF file"),
        (lambda path: path.mkdir(), "holds no config.json"),
        (lambda path: (path.mkdir(), (path / "q4.gguf").write_bytes(b"GGUF")), "It holds q4.gguf: name the file"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_what_would_be_one(tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "model"
    make(path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=said) as refused:
        checkpoints.checkpoint(str(path), "--jmed-serve")
    assert "Give a GGUF file, or a folder with config.json" in str(refused.value)


def test_of_a_model_in_parts_every_part_counts(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"m-0000{number}-of-00002.gguf").write_bytes(b"GGUF" + bytes([number]))
    first = str(tmp_path / "m-00001-of-00002.gguf")
    before = checkpoints.checkpoint(first, "--jmed-serve").digest
    assert before.startswith("fast:")
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(b"GGUF?")
    assert checkpoints.checkpoint(first, "--jmed-serve").digest != before


def test_an_adapter_alone_is_told_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="It is an adapter: give BASE:"):
        checkpoints.checkpoint(str(tmp_path), "--jmed-serve")
