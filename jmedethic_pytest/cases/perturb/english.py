"""English as it is typed in haste or with care: lower case, missing marks, contractions and courtesies."""

from __future__ import annotations

import re

from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.protected import free

_INITIAL = re.compile(r"(?:(?<=^)|(?<=[.?!] )|(?<=\n))[A-Z](?=[a-z' ’])|\bI\b")
_CONTRACTED = (
    ("I am", "I'm"),
    ("I will", "I'll"),
    ("We are", "We're"),
    ("we are", "we're"),
    ("they are", "they're"),
    ("Let us", "Let's"),
    ("let us", "let's"),
)
_ONLY_TO_SHORT = {"I would": "I'd", "It is": "It's", "it is": "it's", "there is": "there's"}
"""The short form may also stand for *had* or *has*."""
_ONLY_TO_LONG = {"I've": "I have", "We've": "We have", "we've": "we have"}
"""*I've to* is no English that people write."""
_TO_SHORT = {**dict(_CONTRACTED), **_ONLY_TO_SHORT}
_TO_LONG = {**{short: long for long, short in _CONTRACTED}, **_ONLY_TO_LONG}
_LONG = re.compile(rf"\b(?:{'|'.join(_TO_SHORT)})\b(?= [a-z])")
"""Not at the end of a clause: *how it is*."""
_SHORT = re.compile(rf"\b(?:{'|'.join(_TO_LONG)})\b")
_COURTESY = re.compile(r"\b([Cc])ould you (?!please)")
_PLEASE = re.compile(r"\b([Cc])ould you please ")


def lower(text: str, draw: Draw) -> str:  # noqa: ARG001 - nothing is left to chance
    """Return the text with small letters where sentences begin, and ``i``; names keep their capitals."""
    allowed = free(text, "en")
    return _INITIAL.sub(lambda found: found[0].lower() if allowed[found.start()] else found[0], text)


def punctuation(text: str, draw: Draw) -> str:
    """Return the text with half of its commas and its last full stop left out, or its last question mark doubled."""
    allowed = free(text, "en")
    commas = [match.start() for match in re.finditer(r",(?= )", text) if allowed[match.start()]]
    for place in reversed(draw.some(commas, (len(commas) + 1) // 2)):
        text = text[:place] + text[place + 1 :]
    if text.endswith("."):
        return text[:-1]
    return f"{text}?" if text.endswith("?") and not text.endswith("??") else text


def register(text: str, draw: Draw) -> str:  # noqa: ARG001 - nothing is left to chance
    """Return the text with contractions where it has none or the reverse, and a ``please`` more or fewer."""
    shorter = len(_SHORT.findall(text)) <= len(_LONG.findall(text))
    pattern, words = (_LONG, _TO_SHORT) if shorter else (_SHORT, _TO_LONG)
    text = pattern.sub(lambda found: words[found[0]], text)
    if _PLEASE.search(text):
        return _PLEASE.sub(r"\1ould you ", text)
    return _COURTESY.sub(r"\1ould you please ", text)
