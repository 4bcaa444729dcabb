"""Finding English in a text that is to be Japanese."""

from __future__ import annotations

import html
import re

_NAMES = re.compile(
    r"`[^`]*`"  # code
    r"|<[^>]*>"  # markup
    r"|\bjmedethic(?: (?!list\b)[a-z]+| list [a-z]+)?"  # commands
    r"|\S*[/:@=_\[\].][\w/.@:=\[\]-]*\S*"  # paths, models, cases, keys of files
    r"|--[a-z-]+"
)
_ENGLISH = re.compile(r"[A-Za-z][a-z']+(?:,? [a-z']{2,}){2,}|\b(?:the|of|is|are|and|not|with|for|at least|more)\b")
_BOTH = re.compile(r'<(\w+)[^>]*?data-ja="([^"]*)"[^>]*>.*?</\1>', re.DOTALL)


def japanese_of(page: str) -> str:
    """Return what a page says in Japanese, without its scripts, styles and drawings, a line for each piece."""
    body = re.sub(r"<(script|style|svg|template|noscript|pre|code)\b.*?</\1>", "\n", page, flags=re.DOTALL)
    told = _BOTH.sub(lambda found: f"\n{found[2]}\n", body)
    return html.unescape(re.sub(r"<[^>]*>", "\n", told))


def english_in(text: str) -> list[str]:
    """Return the lines that hold a phrase of three English words, or one that only a sentence has."""
    found = []
    for line in text.splitlines():
        left = _NAMES.sub(" ; ", line)
        found += [f"{hit[0]!r} in {line!r}" for hit in _ENGLISH.finditer(left)]
    return found
