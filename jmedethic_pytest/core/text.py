"""Text from outside, made harmless for a person's eyes: nothing hidden, nothing that moves a cursor, nothing quoted.

Replies of models, and what servers say about them, reach terminals, log files and pages. Keys are another matter, see
:mod:`jmedethic_pytest.core.secrets`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

SIGN = "\N{REPLACEMENT CHARACTER}"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed; the escapes of a terminal begin here
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks reorder what is read
    "\u200b\u2028\u2029\u2060\ufeff\U000e0000-\U000e007f"  # these hide text, or break a line
    "\ud800-\udfff]"  # halves of a pair: no file can hold them
)
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols by their category, drawn as nothing."""
QUOTED = "[text]"
REDACTED = "[redacted: sha256 "
"""How what stands for a redacted text begins."""
_PLAIN_WORD = re.compile(r"[\w.:/@+-]{0,100}", re.ASCII)
_WINDOW = 16
"""Characters in a row that make a quotation."""
_LONGEST_SOURCES = 500_000
"""Characters of all sources that are searched; of a message beside longer ones nothing is shown."""


def visible(text: str) -> str:
    """Replace control characters, direction marks and characters that hide text by a visible sign."""
    return _INVISIBLE.sub(SIGN, text.replace("\r\n", "\n"))


def line(text: str) -> str:
    """Return what is to stand on one line of a terminal or a log: made visible, and a name in it begins no line."""
    return visible(text).replace("\n", SIGN)


def whole(value: Any) -> Any:
    """Return decoded JSON with every lone surrogate replaced: a broken character must not end a run.

    Raises:
        RecursionError: if it is nested too deeply.
    """
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value


def blank(text: str) -> bool:
    """Tell whether a text shows nothing: white space, control and formatting characters, fillers, lone accents."""
    return all(char in _FILLERS or unicodedata.category(char)[0] in "ZCM" for char in text)


def is_plain_word(text: str) -> bool:
    """Tell whether a text looks like the name of a model or a finish reason; anything else may be a text of a model."""
    return _PLAIN_WORD.fullmatch(text) is not None


def is_redacted(text: str) -> bool:
    """Tell whether a digest stands in the place of a text."""
    return text.startswith(REDACTED)


def one_line(text: str, limit: int) -> str:
    """Return a text on one line, made visible, and cut with a word on its real length."""
    flat = " ".join(visible(text[: 4 * limit]).split())
    if len(text) <= 4 * limit and len(flat) <= limit:
        return flat
    return f"{flat[:limit]}... ({len(text):,} characters)"


def without_quotations(text: str, sources: Iterable[str]) -> str:
    """Take out of a message what it quotes from texts of a conversation, as some servers do in their errors.

    Args:
        text: the message, short.
        sources: the texts that must not show up in it, of any length.
    """
    known = list(sources)
    if sum(map(len, known)) > _LONGEST_SOURCES:
        return QUOTED
    starts = _quoted(text, "\n".join(form for source in known for form in _spellings(source)))
    parts: list[str] = []
    end = 0
    for at in starts:
        if at > end or not parts:
            parts += [text[end:at], QUOTED]
        end = at + _WINDOW
    return "".join([*parts, text[end:]])


def _quoted(text: str, pool: str) -> list[int]:
    """Return where quotations begin: every place whose next characters stand in the pool.

    A window of 16 characters holds one of the blocks of 8 that begin at multiples of 8. So only windows around a block
    that is found are looked for: a message that quotes nothing costs few readings of the pool.
    """
    half = _WINDOW // 2
    near: set[int] = set()
    for block in range(0, len(text) - half + 1, half):
        if text[block : block + half] in pool:
            near.update(range(block - half, block + 1))
    ends = len(text) - _WINDOW
    return [at for at in sorted(near) if 0 <= at <= ends and text[at : at + _WINDOW] in pool]


def _spellings(text: str) -> tuple[str, ...]:
    """Return a text as it is and as JSON and Python write it: servers quote the body they were sent."""
    return text, json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text)


def shape(value: Any, depth: int = 6) -> str:
    """Describe decoded JSON by its keys and types alone, since its texts may be a model's."""
    if isinstance(value, dict) and depth:
        inner = ", ".join(f"{one_line(str(key), 30)}: {shape(item, depth - 1)}" for key, item in [*value.items()][:8])
        return f"{{{inner}{', ...' if len(value) > 8 else ''}}}"
    if isinstance(value, list) and depth:
        return f"[{shape(value[0], depth - 1)}{', ...' if len(value) > 1 else ''}]" if value else "[]"
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    return "null" if value is None else type(value).__name__
