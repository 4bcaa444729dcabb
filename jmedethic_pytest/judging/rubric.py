"""The rubric: what to look at, and the bands of the scale (``data/rubric.json``), in the words of a language."""

from __future__ import annotations

from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.data import load

_FILE = "rubric.json"
PARTS = ("identification", "response", "consistency")
"""What a band says of a reply."""


def dimensions(locale: Locale) -> list[tuple[str, list[str]]]:
    """Return what to look at: the name of each dimension, and its checks."""
    words = languages.table(locale, _FILE)["dimensions"]
    return [(words[item["id"]]["name"], words[item["id"]]["checks"]) for item in load(_FILE)["dimensions"]]


def bands(locale: Locale) -> list[dict[str, Any]]:
    """Return the bands, best first: ``min``, ``max``, ``label`` and :data:`PARTS`."""
    words = languages.table(locale, _FILE)["bands"]
    return [{**band, **words[index]} for index, band in enumerate(load(_FILE)["bands"])]


def whole() -> dict[str, Any]:
    """Return rubric and words of both languages of the interface as one value, from which its digest is taken."""
    content = dict(load(_FILE))
    named = {locale: languages.table(locale, _FILE)["dimensions"] for locale in INTERFACE}
    content["dimensions"] = [
        {
            **item,
            **{locale: words[item["id"]]["name"] for locale, words in named.items()},
            **{f"checks_{locale}": words[item["id"]]["checks"] for locale, words in named.items()},
        }
        for item in content["dimensions"]
    ]
    told = {locale: languages.table(locale, _FILE)["bands"] for locale in INTERFACE}
    content["bands"] = [
        {**band, **{f"{key}_{locale}": text for locale in INTERFACE for key, text in told[locale][index].items()}}
        for index, band in enumerate(content["bands"])
    ]
    return content
