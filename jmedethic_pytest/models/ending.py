"""How a reply ended, and whether it is all of one: one reading for every transport (``data/replies.toml``)."""

from __future__ import annotations

import re
from functools import lru_cache

from jmedethic_pytest.core.status import ReplyStatus
from jmedethic_pytest.core.text import blank
from jmedethic_pytest.data import load

_PREFIX = re.compile(r"^(?:.*[.:]\s*)?(?:finish_reason_|stop_reason_)?")
_WHY = re.compile(r"\s*:.*$", re.DOTALL)
_NAME = re.compile(r"[\w.:/-]{1,60}", re.ASCII)


class Unfinished(Exception):  # noqa: N818 - what the answer is
    """The server broke an answer off for a reason of its own: asked again, it may give all of it."""


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    return {word: kind for kind, words in load("replies.toml")["ending"].items() for word in words}


def ending(
    finish: str, text: str, *, unfinished: bool, used: int | None, allowed: int | None, reasoned: bool = False
) -> tuple[ReplyStatus, str]:
    """Return the status of a reply, and in words why it is not ``ok``.

    Args:
        finish: the server's reason to stop, empty if it gave none. Case and prefixes do not matter; without a reason
            that is known the reply may be a part only.
        text: what the user would be shown.
        unfinished: whether the reply ends inside its reasoning.
        used: tokens of the reply as the server counted them, ``None`` if it did not.
        allowed: the most tokens that were asked for, ``None`` if no limit was sent. A reply that used them all was cut,
            whatever the server says.
        reasoned: whether there is reasoning beside the text.

    Raises:
        Unfinished: if the server broke the reply off, and says so or gives nothing at all.
    """
    kind = _kind(finish)
    if kind == "failed" or (not (finish or reasoned or used) and blank(text)):
        said = _named(finish) if finish else "it gives no reply and no finish reason"
        raise Unfinished(f"the server broke the reply off ({said})")
    if kind == "blocked" or (kind == "refusal" and blank(text)):
        return "blocked", f"the provider's safety system stopped the reply ({_named(finish)})"
    if kind == "cut":
        return "truncated", f"the reply was cut: it is as long as allowed ({_named(finish)})"
    if kind == "unknown":
        said = _named(finish) if finish else "it gives no finish reason"
        return "truncated", f"the server did not finish the reply ({said})"
    if unfinished:
        return "truncated", "the reply ends inside its reasoning"
    if used is not None and allowed is not None and used >= allowed:
        return "truncated", f"the reply was cut: it used all {allowed} tokens allowed (max_tokens)"
    if blank(text):
        return "empty", "the reply is empty" + (": all of it stands in the reasoning" if reasoned else "")
    return "ok", ""


@lru_cache(maxsize=64)
def _kind(finish: str) -> str:
    """Return what a reason means: its first word, unless that says the reply is whole; then the last says it, too."""
    word = finish.lower()
    last, first = (_words().get(_PREFIX.sub("", part, count=1)) for part in (word, _WHY.sub("", word)))
    return (first if first not in (None, "whole") else last) or "unknown"


def _named(finish: str) -> str:
    """Quote a reason to stop only where it is a word: a server may put a text of a model there."""
    return f"finish reason {finish!r}" if _NAME.fullmatch(finish) else f"finish reason of {len(finish)} characters"
