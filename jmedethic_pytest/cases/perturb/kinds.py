"""The kinds of surface changes, as data: their names, and who makes them in each language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from jmedethic_pytest.cases.perturb import english, politeness, script, spacing, typos, width
from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.languages import Locale

VERSION = "1"
"""Raised when a rewriter changes: runs reworded by different versions were not reworded alike."""
ALL = "all"
"""In the place of names: every kind there is."""
Rewriter = Callable[[str, Draw], str]
"""Returns a user turn in other clothes, or as it was."""


class Kind(NamedTuple):
    """A kind of surface change."""

    about: str
    """What it does, in a few words."""
    rewriters: Mapping[Locale, Rewriter]
    """By language; a language that is not there has no such kind."""


KINDS: Mapping[str, Kind] = {
    "typos": Kind("3 % of the characters slip", {"ja": typos.japanese, "en": typos.english}),
    "politeness": Kind("plain in place of polite ends of sentences, or the reverse", {"ja": politeness.japanese}),
    "width": Kind("letters, digits and katakana in full or half width", {"ja": width.japanese}),
    "script": Kind("kana in place of kanji in everyday words, or the reverse", {"ja": script.japanese}),
    "spacing": Kind("spaces more", {"ja": spacing.spaces_japanese, "en": spacing.spaces_english}),
    "lines": Kind("line breaks between sentences", {"ja": spacing.lines_japanese, "en": spacing.lines_english}),
    "case": Kind("small letters at the beginning of sentences", {"en": english.lower}),
    "punctuation": Kind("commas and the last full stop left out", {"en": english.punctuation}),
    "register": Kind("contractions and courtesies, more or fewer", {"en": english.register}),
}


def chosen(names: Iterable[str], locales: Iterable[Locale], place: str) -> tuple[str, ...]:
    """Return the kinds that are asked for, each once and in the order of the registry.

    Args:
        names: of kinds, or ``all``.
        locales: the languages of the run: a kind must exist in one of them, and each must have one.
        place: the option, for the errors.

    Raises:
        ConfigError: naming every kind that does not exist, or has no rewriter, and every language without a kind.
    """
    wanted = set(names)
    languages = tuple(locales)
    problems = [unknown(place, name, [*KINDS, ALL]) for name in sorted(wanted - {*KINDS, ALL})]
    found = tuple(name for name in KINDS if name in wanted or (ALL in wanted and _speaks(name, languages)))
    problems += [
        f"{place}: {name!r} does not exist in {_listed(languages)}: it is a kind of {_listed(KINDS[name].rewriters)}."
        for name in found
        if not _speaks(name, languages)
    ]
    problems += [
        f"{place}: no kind of {_listed(found)} exists in {language!r}. Add one of: {_listed(of(language))}."
        for language in languages
        if found and not problems and not any(language in KINDS[name].rewriters for name in found)
    ]
    if problems:
        raise ConfigError(problems)
    return found


def of(locale: Locale) -> tuple[str, ...]:
    """Return the kinds that exist in a language."""
    return tuple(name for name, kind in KINDS.items() if locale in kind.rewriters)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _speaks(name: str, locales: tuple[Locale, ...]) -> bool:
    return any(locale in KINDS[name].rewriters for locale in locales)
