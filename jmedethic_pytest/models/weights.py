"""A digest of a checkpoint, to be stated with a run: the same name may stand for other weights tomorrow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.core.errors import ConfigError

_WHOLE = 1 << 20
"""Bytes up to which a file is read whole: configurations, tokenizers, templates, small adapters."""
_BLOCK = 4096
_BLOCKS = 256
"""Blocks that are read of a larger file, evenly spaced; training changes nearly all of them."""
_HEADER_LIMIT = 64 << 20
_NO_PART = {".md", ".log", ".lock", ".tmp"}
"""Endings of files beside the weights that change no reply."""


def revision(path: Path, *, full: bool = False) -> str:
    """Return the digest of a checkpoint folder, a GGUF file or an adapter.

    The fast digest is of names, sizes, headers of safetensors files and evenly spaced blocks: retrained or requantised
    weights change it, a deliberate change of a few bytes may not. The full digest is of every byte.

    Args:
        path: a file, or a folder whose files count with their names below it; hidden files and notes do not count.
        full: read everything.

    Returns:
        ``fast:`` or ``full:`` and 32 hexadecimal digits. The two kinds are never equal.

    Raises:
        ConfigError: if there is nothing at the path, or a file cannot be read.
    """
    files = _files(path)
    total = hashlib.sha256()
    for name, file in files:
        try:
            size = file.stat().st_size
            total.update(f"{name}\0{size}\0".encode())
            for piece in _everything(file) if full or size <= _WHOLE else _samples(file, size):
                total.update(piece)
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read: {error.strerror}.") from None
    return f"{'full' if full else 'fast'}:{total.hexdigest()[:32]}"


def _files(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [("", path)]
    if not path.is_dir():
        raise ConfigError(f"{path}: no such file or folder. Give a checkpoint folder, a GGUF file or an adapter.")
    found = [
        (inside.as_posix(), path / inside)
        for inside in sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
        if not any(part.startswith(".") for part in inside.parts) and inside.suffix.lower() not in _NO_PART
    ]
    if not found:
        raise ConfigError(f"{path}: the folder holds no file of a checkpoint. Give the folder of the weights.")
    return found


def _everything(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_WHOLE):
            yield piece


def _samples(file: Path, size: int) -> Iterator[bytes]:
    """Yield the header of a safetensors file, the beginning and the end, and evenly spaced blocks between."""
    with file.open("rb") as stream:
        if file.suffix == ".safetensors":
            length = int.from_bytes(stream.read(8), "little")
            yield stream.read(min(length, _HEADER_LIMIT))
        for index in range(_BLOCKS + 1):
            stream.seek((size - _BLOCK) * index // _BLOCKS)
            yield stream.read(_BLOCK)
