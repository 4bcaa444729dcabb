"""JSON in the answer of a model, read strictly for what scores and leniently for what writes; in linear time.

Strict: the answer is one object, alone in a list or not, or objects stand on lines of their own; nothing is guessed,
and an object that is begun and cannot be read spoils the answer. A line break or tab inside a string is no fault.
Lenient: the whole answer, its last code fence, or its last object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

TRIMMINGS = " \t\r\n`*.。"
"""What may stand around an answer without being one."""
_OBJECT_START = re.compile(r"\{\s*+[\"“]")
_FENCE = re.compile(r"```(?:json)?[ \t\r]*\n(.*?)```", re.DOTALL)
_BEGUN = re.compile(r"\{[ \t\r\n]*+[\"}]")
_PATIENCE = 100
"""Objects of a text that may be begun in vain before the rest is given up: each costs a reading of the text."""


class Objects(NamedTuple):
    """The outermost objects of a text, read strictly."""

    own: list[dict[str, Any]]
    """Those on lines of their own, in order of appearance."""
    own_ends: bool
    """True if the last of them ends the text: what follows a quotation is the writer's own word."""
    last: str
    """The last of them as it was written."""
    rest: str
    """The text without any object, also without those inside a sentence."""


def whole(text: str) -> dict[str, Any] | None:
    """Return the object that the whole text is, without code fence and list around it; ``None`` if it is not one.

    That a key is given twice with different values stays visible: the later one gets a longer name.
    """
    inner = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value = _STRICT.decode(inner)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def objects(text: str) -> Objects | None:
    """Return the outermost objects of a text; keys given twice as in :func:`whole`.

    ``None`` if an object is begun that cannot be read: what stands inside it may be only quoted.
    """
    own: list[dict[str, Any]] = []
    rest: list[str] = []
    last, done, end = (0, 0), 0, 0
    position = text.find("{")
    while position != -1:
        # Only the first brace of a line can begin it: the others have a brace before them.
        line = text.rfind("\n", end, position) + 1
        begins_line = (line > 0 or end == 0) and text[line:position].strip(TRIMMINGS) in ("", "json")
        try:
            # Asked first: an error of the decoder counts the lines before it, which costs a reading of the text.
            value, end = _STRICT.raw_decode(text, position) if _BEGUN.match(text, position) else (None, 0)
        except (ValueError, RecursionError):
            value = None
        if value is None:
            if begins_line or _OBJECT_START.match(text, position):
                return None
            end = position + 1
        else:
            if begins_line and not text[end : _line_end(text, end)].strip(TRIMMINGS):
                own.append(value)
                last = (position, end)
            rest.append(text[done:position])
            done = end
        position = text.find("{", end)
    own_ends = bool(own) and not text[last[1] :].strip(TRIMMINGS)
    return Objects(own, own_ends, text[slice(*last)], "".join([*rest, text[done:]]))


def at_end(text: str) -> Any:
    """Return the outermost object that the text ends with, ``None`` if it ends with none."""
    found = None
    for value, end in _outermost(text):
        found = value if end == len(text) else None
    return found


def likely(text: str) -> list[Any]:
    """Return the JSON values that a text may mean, most likely first: its whole, its last fence, its last object."""
    found = []
    for piece in (text, *reversed([match[1] for match in _FENCE.finditer(text)])):
        try:
            found.append(json.loads(piece))
        except (ValueError, RecursionError):
            continue
    return found or [value for value, _ in _outermost(text)][::-1]


def _outermost(text: str) -> Iterator[tuple[Any, int]]:
    """Yield the outermost objects that can be read, each with its end."""
    decoder, failures = json.JSONDecoder(), 0
    begun = _BEGUN.search(text)
    while begun is not None and failures < _PATIENCE:
        try:
            value, end = decoder.raw_decode(text, begun.start())
            yield value, end
        except (ValueError, RecursionError):
            failures, end = failures + 1, begun.start() + 1
        begun = _BEGUN.search(text, end)


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found == -1 else found


def _keep_conflicts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a dict in which a repeated key's other value has a longer name, so that conflicting scores stay visible."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        result[f"{key} " if key in result and result[key] != value else key] = value
    return result


_STRICT = json.JSONDecoder(object_pairs_hook=_keep_conflicts, strict=False)
"""Reads what scores; a line break or tab inside a string is no fault of it."""
