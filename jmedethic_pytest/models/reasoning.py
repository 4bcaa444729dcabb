"""Splitting what a user would be shown from a model's reasoning, for every known family (``data/replies.toml``)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from jmedethic_pytest.data import load

_Kind = Literal["open", "close", "channel", "channel_end", "drop"]
_HEADER = (
    r"(?:<\|start\|>[^<|\n]{0,40})?<\|channel\|>\s*(?P<channel>\w{1,20})[^<\n]{0,60}"
    r"(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>"
)
_START = r"<\|start\|>\w{1,20}(?:<\|message\|>)?"
_UNMARKED = re.compile(r"analysis(?=[^\sa-z])")
"""How a harmony reply begins whose server has dropped the control tokens and left their words."""
_UNMARKED_FINAL = "assistantfinal"


class Split(NamedTuple):
    """The parts of a text."""

    answer: str
    """What the user would be shown."""
    reasoning: str
    """All the rest, marks included."""
    unfinished: bool
    """True if the text ends inside its reasoning: nothing in it may be read as an answer."""


class _Marks(NamedTuple):
    pattern: re.Pattern[str]
    kinds: dict[str, _Kind]
    """By the mark in lower case."""
    beginning: re.Pattern[str]
    """What every mark begins with: most texts hold none of it, and need no closer look."""


@lru_cache(maxsize=1)
def _marks() -> _Marks:
    table = load("replies.toml")["reasoning"]
    kinds: dict[str, _Kind] = {}
    for opening, closing in table["blocks"]:
        kinds[opening.lower()], kinds[closing.lower()] = "open", "close"
    kinds.update(dict.fromkeys((mark.lower() for mark in table["channel_ends"]), "channel_end"))
    kinds.update(dict.fromkeys((mark.lower() for mark in table["wrapping"]), "drop"))
    literal = "|".join(re.escape(mark) for mark in sorted(kinds, key=len, reverse=True))
    first = re.escape("".join(sorted({"<", *(mark[0] for mark in kinds)})))
    whole = re.compile(f"{_HEADER}|{_START}|{literal}", re.IGNORECASE)
    return _Marks(whole, kinds, re.compile(f"[{first}]", re.IGNORECASE))


def split_reasoning(text: str) -> Split:
    """Split a text that may hold reasoning blocks or channels.

    Blocks are reasoning; what stands before, between and after them was shown to the user and is the answer. Where a
    server dropped the first opening mark, everything up to the closing one is reasoning. If a block is never closed the
    rest of the text is reasoning and the answer is unfinished. Of a text in channels only the final one is the answer.
    Time is linear in the length of the text.
    """
    phrased = _phrased(text)
    if phrased is not None:
        return phrased
    marks, parts = _marks(), _Parts()
    if marks.beginning.search(text) is None:
        return Split(text.strip(), "", unfinished=False)
    position = 0
    for found in marks.pattern.finditer(text):
        parts.piece(text[position : found.start()])
        parts.mark(found, _kind(found, marks))
        position = found.end()
    parts.piece(text[position:])
    return Split("".join(parts.shown).strip(), "".join(parts.hidden).strip(), parts.inside)


def _kind(found: re.Match[str], marks: _Marks) -> _Kind:
    return "channel" if found["channel"] else marks.kinds.get(found[0].lower(), "drop")


class _Parts:
    """The shown and the hidden pieces of a text, collected from its beginning to its end."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self._depth = 0
        self._hidden_channel = False
        self._thought = False
        """True once any reasoning was met."""

    @property
    def inside(self) -> bool:
        """Whether what comes next is hidden."""
        return self._depth > 0 or self._hidden_channel

    def piece(self, text: str) -> None:
        """Add text between two marks."""
        (self.hidden if self.inside else self.shown).append(text)

    def mark(self, found: re.Match[str], kind: _Kind) -> None:
        """Add a mark: it is never shown."""
        if kind == "close" and not self._thought:  # The opening mark was dropped: all before the closing one is hidden.
            self.hidden += self.shown
            self.shown.clear()
        self.hidden.append(found[0])
        if kind == "open":
            self._depth += 1
        elif kind == "close":
            self._depth = max(0, self._depth - 1)
        elif kind == "channel":
            self._hidden_channel = found["channel"].lower() != load("replies.toml")["reasoning"]["shown_channel"]
        elif kind == "channel_end":
            self._hidden_channel = False
        self._thought = self._thought or kind in ("open", "close", "channel")


def _phrased(text: str) -> Split | None:
    """Split a text whose reasoning is marked by words, not by control tokens; ``None`` if it is none of those."""
    begin = text.lstrip()
    for opening, closing in load("replies.toml")["reasoning"]["sentences"]:
        if begin.startswith(opening):
            thought, mark, answer = begin.partition(closing)
            return Split(answer.strip(), (thought + mark).strip(), not mark)
    if _UNMARKED.match(begin):
        thought, mark, answer = begin.rpartition(_UNMARKED_FINAL)
        return Split(answer.strip(), (thought + mark).strip(), False) if mark else Split("", begin.strip(), True)
    return None
