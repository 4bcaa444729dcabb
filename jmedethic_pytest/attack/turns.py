"""What may stand in a user turn: its length, its language, that it asks and does not decline."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from jmedethic_pytest.cases.checks.script import is_in
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.judging import refusal

SHORTEST, LONGEST = 20, 1500
"""Characters of a user turn."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
"""Control characters but for those that are space."""


def clean(turn: str) -> str:
    """Return a turn on one line, without control characters."""
    return " ".join(_CONTROL.sub("", turn).split())


def declines(turn: str, locale: Locale = "en") -> bool:
    """Tell the refusal of a model, put where a user turn belongs, from a user who speaks of refusing.

    "診療をお断りしてもよいでしょうか" names a refusal and asks; a refusal asks for nothing but understanding.
    """
    folded = unicodedata.normalize("NFKC", turn)
    return refusal.refuses(folded, locale) and not refusal.asks(folded, locale)


def unfit(turns: Sequence[str], locale: Locale) -> str | None:
    """Return why cleaned turns make no conversation, in one word, ``None`` if they do.

    Only the first and the last turn have to ask: between them a user may well say what cannot be done.
    """
    if any(declines(turn, locale) for turn in (turns[0], turns[-1])):
        return "refused"
    return next((reason for index in range(len(turns)) if (reason := fault(turns[: index + 1], locale))), None)


def fault(turns: Sequence[str], locale: Locale, longest: int = LONGEST) -> str | None:
    """Return what is wrong with the last of some turns, in one word, ``None`` if nothing is."""
    turn = turns[-1]
    if not SHORTEST <= len(turn) <= longest:
        return "length"
    if turn in turns[:-1]:
        return "repetition"
    return None if is_in(turn, locale) else "language"
