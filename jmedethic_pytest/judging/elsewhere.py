"""Guidelines that hold elsewhere than in Japan: what the judges' questions say of Japan, they say of that place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.vocabulary import Guideline

Place = tuple[Locale, str]
"""A language, and the name of a place in it."""
_FILE = "judge_elsewhere.toml"


def of(guideline: Guideline, locale: Locale) -> str:
    """Return where a guideline holds, in a language; empty if nobody says so, or it is for Japan."""
    return guideline.place.get(locale, guideline.place.get("en", ""))


def places(guidelines: Iterable[Guideline]) -> list[Place]:
    """Return the places of guidelines in every language whose questions name one, each once and in order."""
    found = {place for guideline in guidelines for place in guideline.place.items()}
    return sorted(place for place in found if languages.has(place[0], _FILE))


def said(prompt: Literal["item", "paper"], locale: Locale, place: str, text: str) -> str:
    """Return a judge's question with the words of a place in those of Japan.

    Args:
        prompt: which of the two questions.
        locale: its language; one whose words name no country has no such file.
        place: its name; empty leaves the text as it is.
        text: the question.
    """
    if place and languages.has(locale, _FILE):
        for old, new in languages.table(locale, _FILE)[prompt]:
            text = text.replace(old, new.format(place=place))
    return text
