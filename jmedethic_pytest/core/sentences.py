"""Sentences of the gate and of comparisons, in both languages of the interface.

A sentence is made where its figures are known, from one catalogue (``data/sentences.toml``, and ``interface.toml`` for
what only terminals, comments and drawings say), and is an English string to everybody who knows no better: JSON, tests.
What shows it to a reader of Japanese takes its other side (:func:`in_language`). No sentence is translated by taking it
apart.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from jmedethic_pytest import data

FILES = ("sentences.toml", "interface.toml")
_JAPANESE = "[\u3040-\u30ff\u3400-\u9fff」）]"


class Said(str):
    """A sentence in English that knows its Japanese."""

    ja: str

    def __new__(cls, en: str, ja: str) -> Said:
        """Return a sentence with both its sides."""
        made = super().__new__(cls, en)
        made.ja = ja
        return made

    def through(self, change: Callable[[str], str]) -> Said:
        """Return the sentence with a change made to both its sides, such as cutting them."""
        return Said(change(str(self)), change(self.ja))


def _kept(value: Any, handler: ValidatorFunctionWrapHandler) -> str:
    """Validate as a string, and keep what else a sentence knows."""
    found: str = handler(value)
    return value if isinstance(value, Said) else found


Sentence = Annotated[str, WrapValidator(_kept)]
"""A field of a record that holds a sentence; in JSON it is its English text."""


def in_language(text: object, language: str) -> str:
    """Return a sentence in a language of the interface; whatever is written in one way only stays as it is."""
    return text.ja if language == "ja" and isinstance(text, Said) else str(text)


def changed(text: str, change: Callable[[str], str]) -> str:
    """Return a text with a change made to it; a sentence keeps both its sides."""
    return text.through(change) if isinstance(text, Said) else change(text)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every sentence by its name, ``en`` and ``ja`` of each."""
    return {name: text for file in FILES for name, text in data.load(file).items()}


def say(name: str, /, **values: object) -> Said:
    """Return a sentence of the catalogue.

    Args:
        name: its name.
        values: what is put in, formatted; a sentence among them is put in in each language.
    """
    text = catalogue()[name]
    return Said(text["en"].format(**values), _japanese(text["ja"], _others(values)))


def laid(template: str, /, **values: object) -> Said:
    """Return a line that is laid out alike in both languages, such as a row of a table.

    Args:
        template: how, with ``{names}`` of the values; a width in it counts columns of a terminal.
        values: figures and sentences.
    """
    return Said(template.format(**values), _FILLING.format(template, **_others(values)))


def _others(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value.ja if isinstance(value, Said) else value for key, value in values.items()}


class _Filling(string.Formatter):
    """Fills in values; Japanese letters take two columns each."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Format one value."""
        wide = sum(unicodedata.east_asian_width(char) in "WF" for char in value) if isinstance(value, str) else 0
        width = re.fullmatch(r"([<>^]?)(\d+)", format_spec) if wide else None
        return format(value, f"{width[1]}{max(int(width[2]) - wide, 1)}" if width else format_spec)


_FILLING = _Filling()
_ENDS_JAPANESE = re.compile(f"{_JAPANESE}$")
_SPACED = re.compile(rf"\{{(\w+)\}} (?={_JAPANESE})")
_WIDTH = re.compile(r":[<>^]?\d+\}")
"""Where only the slow filling knows how many columns a value takes."""


def named(kind: str, key: str) -> str:
    """Return a word of the records, which knows its Japanese; one that the catalogue does not hold stays as it is.

    Args:
        kind: ``persona``, ``harm_class``, ``status`` (of a reply, a score or a verdict) or ``run_status``.
        key: the word, as files hold it.
    """
    name = f"{kind}.{key}"
    return say(name) if name in catalogue() else key


def _japanese(template: str, values: Mapping[str, object]) -> str:
    """Fill in a Japanese sentence: a space parts foreign letters and figures from it, not a value that is Japanese."""
    japanese = {name for name, value in values.items() if _ENDS_JAPANESE.search(str(value))}
    if japanese:
        template = _SPACED.sub(lambda found: found[0].rstrip(" ") if found[1] in japanese else found[0], template)
    return _FILLING.format(template, **values) if _WIDTH.search(template) else template.format(**values)


def joined(parts: Iterable[str], *, en: str = "; ", ja: str = "。") -> Said:
    """Return several sentences as one; empty ones are left out."""
    kept = [part for part in parts if part]
    return Said(en.join(kept), ja.join(in_language(part, "ja") for part in kept))
