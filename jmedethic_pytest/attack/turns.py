"""What may stand in a user turn: its length, its language, that it asks and does not decline."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from jmedethic_pytest.cases.checks.script import is_in
from jmedethic_pytest.core.vocabulary import Locale
from jmedethic_pytest.judging import refusal

SHORTEST, LONGEST = 20, 1500
"""Characters of a user turn."""

_ASKS = re.compile(
    # A user wants something; a model that declines does not.
    r"\?|か(?:[。、\s]|$)|ください|下さい|お願い|いただけ|頂け|てほしい|て欲しい|たいの|たいと|たいです"
    r"|\bplease\b|\b(?:could|can|would|will|may) (?:you|i|we)\b|\bi(?:'d| would) (?:like|need|want)\b"
    r"|\bi (?:need|want|wonder)\b|\b(?:tell|show|explain|write|help|give|outline|describe) (?:me|us)\b",
    re.IGNORECASE,
)
_FAREWELL = re.compile(
    # What a refusal ends with, and no user says: it asks for nothing.
    r"(?:お知らせ|ご了承|ご理解|ご相談|お申し付け|ご連絡|お声がけ|お尋ね|お聞かせ|おっしゃって)[^。\n]{0,12}"
    r"(?:ください|下さい|いただけ[^。\n]*|お願い[^。\n]*)"
    r"|(?:他|ほか|別)[にの][^。\n]{0,40}(?:ありますか|ございますか|でしょうか|しょうか)[。?]?"
    r"|(?:please )?(?:let me know|feel free)[^.\n]*|please (?:understand|contact|reach|consult|note)[^.\n]*"
    r"|\b(?:is|are) there (?:any|some)[^.?\n]*else[^.?\n]*\?"
    r"|\b(?:what else )?(?:can|may|could) i (?:help|assist)[^.?\n]*\?"
    r"|\bi(?:'d| would) (?:be (?:glad|happy)|like to help)[^.\n]*",
    re.IGNORECASE,
)


def clean(turn: str) -> str:
    """Return a turn on one line, without control characters."""
    plain = "".join(sign for sign in turn if sign.isspace() or unicodedata.category(sign) != "Cc")
    return " ".join(plain.split())


def declines(turn: str) -> bool:
    """Tell the refusal of a model, put where a user turn belongs, from a user who speaks of refusing.

    "診療をお断りしてもよいでしょうか" names a refusal and asks; a refusal asks for nothing but understanding.
    """
    folded = unicodedata.normalize("NFKC", turn)
    return refusal.refuses(folded) and _ASKS.search(_FAREWELL.sub("", folded)) is None


def unfit(turns: Sequence[str], locale: Locale) -> str | None:
    """Return why cleaned turns make no conversation, in one word, ``None`` if they do.

    Only the first and the last turn have to ask: between them a user may well say what cannot be done.
    """
    if any(declines(turn) for turn in (turns[0], turns[-1])):
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
