"""Files about judges: links of two panels, anchors and their checks, cards. JSON that can be committed, strictly read.

reports/judges/  links/<name>.json  cards/<judge>.json  anchors/<name>/ anchors.json verdicts.jsonl checks.jsonl
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Record

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
R = TypeVar("R", bound=Record)
SCHEMA = 1
"""Version of these files."""


class PanelOf(Record):
    """Who judged, and by which words."""

    judges: tuple[str, ...]
    """Their names, in the order of the panel."""
    prompts: str
    """Digest of what judges are told apart from case and guideline."""
    context: str
    """``full``, or ``turn``: whether judges see what was said before."""
    asked: dict[str, Any] = Field(default_factory=dict)
    """How they were called (:mod:`jmedethic_pytest.store.asked`), without what was not set."""

    def unlike(self, other: PanelOf) -> str:
        """Return how another panel differs, in words; empty if it is the same."""
        if sorted(self.judges) != sorted(other.judges):
            return f"judges {', '.join(self.judges)} and {', '.join(other.judges)}"
        if self.prompts != other.prompts:
            return f"prompts {self.prompts[:12]} and {other.prompts[:12]}"
        if self.context != other.context:
            return f"[judges] context {self.context!r} and {other.context!r}"
        for key in sorted(self.asked.keys() | other.asked.keys()):
            mine, theirs = self.asked.get(key), other.asked.get(key)
            if mine != theirs:
                return f"[judges] {key} {mine!r} and {theirs!r}"
        return ""

    def __str__(self) -> str:
        return f"{', '.join(self.judges)} (prompts {self.prompts[:12]})"


def panel(judges: Iterable[str], prompts: str, context: str, asked: Mapping[str, Any]) -> PanelOf:
    """Return who judges: by name, digest of the prompts, context, and how they are called."""
    stated = {key: value for key, value in asked.items() if value not in (None, {}, False)}
    return PanelOf(judges=tuple(judges), prompts=prompts, context=context, asked=stated)


def folder(reports: Path) -> Path:
    """Return where the files about judges are."""
    return reports / "judges"


def checked(name: str, what: str) -> str:
    """Return the name of a file, if it can be one.

    Raises:
        ConfigError: if not.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{what} name {name!r} is not allowed: use letters, digits, '.', '_' and '-', at most 64.")
    return name


def read(path: Path, form: type[R], what: str, again: str, *, sealed: bool = True) -> R:
    """Return the record in a file.

    Args:
        path: the file.
        form: its form.
        what: it is called in words: ``link``.
        again: the command that makes one.
        sealed: whether it was written here, with a digest that tells whether somebody edited it.

    Raises:
        StoreError: if it is missing, damaged, edited or of a newer version; whoever reads it knows nothing then.
    """
    try:
        data = files.read(path)
    except FileNotFoundError:
        raise StoreError(f"{path}: there is no {what}. Next: {again}.") from None
    except OSError as error:
        raise StoreError(f"{path}: the {what} cannot be read: {error.strerror}. Next: {again}.") from None
    return parse(str(path), data, form, what, again, sealed=sealed)


def parse(place: str, data: bytes, form: type[R], what: str, again: str, *, sealed: bool = True) -> R:
    """Return the record in a text; arguments and error as of :func:`read`."""
    advice = f"Restore it from version control, or make it again: {again}."
    try:
        content = strict_json.value(data)
    except ValueError as error:
        raise StoreError(f"{place}: the {what} is damaged: no valid JSON ({error}). {advice}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA:
        known = f"schema {version}, this one reads {SCHEMA}"
        raise StoreError(f"{place}: written by a newer version ({known}). Upgrade jmedethic-pytest.")
    if sealed and (not isinstance(content, dict) or content.pop("digest", None) != files.compact_digest(content)):
        raise StoreError(f"{place}: the {what} is damaged or was edited: its digest does not fit. {advice}")
    try:
        return form.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the text"
        raise StoreError(f"{place}: the {what} is damaged: {field}: {first['msg']}. {advice}") from None


def seal(record: Record) -> dict[str, Any]:
    """Return what the file of a record holds: the record, and a digest of it."""
    content = record.model_dump(mode="json")
    return {**content, "digest": files.compact_digest(content)}


def free(path: Path, *, force: bool) -> Path:
    """Return the path of a file that may be written.

    Raises:
        ConfigError: if it exists and must not be replaced.
    """
    if path.exists() and not force:
        raise ConfigError(f"{path}: exists already. Give --force to replace it, or another name.")
    return path


def write(path: Path, record: Record) -> None:
    """Write a record, in place of the one that is there.

    Raises:
        StoreError: if it cannot be written.
    """
    files.replace(path, files.as_json(seal(record)))
