"""What lies at a path: weights as a GGUF file or a Hugging Face folder, adapters beside them, and what they say."""

from __future__ import annotations

import glob
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Literal

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.models import weights

Form = Literal["gguf", "folder"]
_FORMS: dict[Form, str] = {"gguf": "a GGUF file", "folder": "a folder as of Hugging Face"}
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
_SIZES = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""How GGUF numbers the types of its values; 8 is a text, 9 a list."""
_TEXT, _LIST = 8, 9
_MOST = 100_000
_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf")


@dataclass(frozen=True)
class Weights:
    """A checkpoint or an adapter."""

    path: Path
    form: Form

    @property
    def name(self) -> str:
        """A name for records: that of the file or folder."""
        stem = self.path.name.removesuffix(".gguf")
        return _STRANGE.sub("-", stem).strip("-.") or "model"

    @cached_property
    def digest(self) -> str:
        """The fast digest of the bytes (``jmedethic revision PATH``); of a file in parts that of all parts."""
        parts = self._parts
        if len(parts) < 2:
            return weights.revision(self.path)
        return f"fast:{compact_digest([weights.revision(part) for part in parts])[:32]}"

    @property
    def _parts(self) -> list[Path]:
        """The files of a model that was split; llama.cpp is given the first."""
        split = _PART.fullmatch(self.path.name) if self.form == "gguf" else None
        return sorted(self.path.parent.glob(f"{glob.escape(split[1])}-*-of-{split[2]}.gguf")) if split else []

    @cached_property
    def context(self) -> int | None:
        """Tokens that the model was made for; ``None`` if it does not say."""
        if self.form == "gguf":
            return _gguf_context(self.path)
        found = _json(self.path / "config.json")
        told = [table.get("max_position_embeddings") for table in (found, found.get("text_config") or {})]
        return next((value for value in told if isinstance(value, int) and value > 0), None)

    @property
    def rank(self) -> int:
        """Of an adapter in a folder: its rank, 16 if it does not say."""
        found = _json(self.path / "adapter_config.json").get("r")
        return found if isinstance(found, int) and found > 0 else 16


def split(given: str) -> tuple[str, str | None]:
    """Return path and adapter of ``PATH[:ADAPTER]``; a path that is there may hold colons itself."""
    path, colon, adapter = given.rpartition(":")
    return (given, None) if not colon or not path or Path(given).exists() else (path, adapter)


def checkpoint(given: str, place: str) -> Weights:
    """Return the weights at a path.

    Raises:
        ConfigError: if there are none.
    """
    return _found(given, place, "config.json", "a GGUF file, or a folder with config.json and the weights")


def adapter(given: str, place: str, form: Form) -> Weights:
    """Return the adapter at a path.

    Raises:
        ConfigError: if there is none, or the server of this run reads adapters in another form.
    """
    found = _found(given, place, "adapter_config.json", "a GGUF file, or a folder with adapter_config.json")
    if found.form != form:
        advice = " llama.cpp's convert_lora_to_gguf.py makes one of a folder." if form == "gguf" else ""
        raise ConfigError(f"{place}: adapter {given!r}: the server of this run reads {_FORMS[form]}.{advice}")
    return found


def _found(given: str, place: str, config: str, wanted: str) -> Weights:
    path = Path(given)
    if path.is_file():
        with path.open("rb") as stream:
            if stream.read(4) == b"GGUF":
                return Weights(path.absolute(), "gguf")
        raise ConfigError(f"{place}: {given!r} is no GGUF file. Give {wanted}.")
    if not path.is_dir():
        raise ConfigError(f"{place}: there is nothing at {given!r}. Give {wanted}.")
    if (path / config).is_file():
        return Weights(path.absolute(), "folder")
    inside = sorted(path.glob("*.gguf"))
    hint = f" It holds {inside[0].name}: name the file." if inside else ""
    if config == "config.json" and (path / "adapter_config.json").is_file():
        hint = f" It is an adapter: give BASE:{given}."
    raise ConfigError(f"{place}: {given!r} holds no {config}. Give {wanted}.{hint}")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _gguf_context(path: Path) -> int | None:
    """Return ``<architecture>.context_length`` of a GGUF file's header."""
    try:
        with path.open("rb") as stream:
            entries = (value for key, value in _entries(stream) if key.endswith(".context_length"))
            found = next(entries, None)
    except (OSError, struct.error, ValueError, KeyError):
        return None
    return found if isinstance(found, int) and found > 0 else None


def _entries(stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield key and value of a GGUF header; of a list nothing."""
    _, _, _, count = struct.unpack("<4sIQQ", stream.read(24))
    for _ in range(min(count, _MOST)):
        key, kind = _text(stream), _number(stream, "<I")
        if kind == _LIST:
            _skip_list(stream)
        else:
            yield key, _text(stream) if kind == _TEXT else _number(stream, _SIZES[kind])


def _skip_list(stream: BinaryIO) -> None:
    kind, length = _number(stream, "<I"), _number(stream, "<Q")
    if kind in _SIZES:
        stream.seek(length * struct.calcsize(_SIZES[kind]), 1)
        return
    for _ in range(length):
        _text(stream) if kind == _TEXT else _skip_list(stream)


def _number(stream: BinaryIO, form: str) -> Any:
    return struct.unpack(form, stream.read(struct.calcsize(form)))[0]


def _text(stream: BinaryIO) -> str:
    length = _number(stream, "<Q")
    if length > 1 << 26:
        raise ValueError("no text of a header is that long")
    return stream.read(length).decode(errors="replace")
