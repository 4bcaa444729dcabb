"""What the page says, in English and in Japanese."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from markupsafe import Markup

from jmedethic_pytest.core import languages, sentences
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.sentences import Said, in_language, named
from jmedethic_pytest.core.vocabulary import Vocabulary

FOLDER = "reports/templates/report"
"""Where the page's parts lie, inside the package."""


class Text(NamedTuple):
    """One text in both languages of the interface."""

    en: str
    ja: str

    def fill(self, /, **values: object) -> Text:
        """Return the text with values put in; a text given as a value is used in its language."""
        return Text(*(_fill(part, index, values) for index, part in enumerate(self)))


def _fill(template: str, language: int, values: dict[str, object]) -> str:
    own = {key: value[language] if isinstance(value, Text) else value for key, value in values.items()}
    return template.format(**own)


def part(name: str) -> str:
    """Read one of the page's files: template, style or script."""
    return resources.files("jmedethic_pytest").joinpath(f"{FOLDER}/{name}").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def all_words() -> dict[str, Text]:
    """Return every text of the page by its name; the results of conversations are called as everywhere."""
    results = {name: plain(sentences.say(name)) for name in sentences.catalogue() if name.startswith("result.")}
    return {**{key: Text(*pair) for key, pair in json.loads(part("words.json")).items()}, **results}


def word(name: str, /, **values: object) -> Text:
    """Return a text of the page, or a sentence of the catalogue, with values put in."""
    text = all_words().get(name)
    if text is not None:
        return text.fill(**values) if values else text
    said = {key: Said(*value) if isinstance(value, Text) else value for key, value in values.items()}
    return plain(sentences.say(name, **said))


def plain(text: object) -> Text:
    """Return a sentence of the gate, or something that is written alike in both languages: a figure, a name."""
    return Text(str(text), in_language(text, "ja"))


def strategy(key: str, vocabulary: Vocabulary) -> Text:
    """Return a strategy's id and name."""
    name = vocabulary.strategy(key).name
    return Text(f"{key} {name['en']}", f"{key} {name['ja']}")


def turn(key: str, *, in_words: bool = False) -> Text:
    """Return a turn by its place among the turns, which begin with T0; any other name stays as it is.

    Args:
        key: ``T0``, ``T1`` ...
        in_words: leave the code out.
    """
    if not key[1:].isdecimal():
        return plain(key)
    return word("turn.nth" if in_words else "turn.nth.code", number=int(key[1:]) + 1, code=key)


def guideline(key: str, vocabulary: Vocabulary) -> Text:
    """Return a guideline's id and title."""
    title = vocabulary.guideline(key).title
    return Text(f"{key} {title['en']}", f"{key} {title['ja']}")


def category(code: str, vocabulary: Vocabulary) -> Text:
    """Return a category's letter and name."""
    name = vocabulary.category(code).name
    return Text(f"{code} {name['en']}", f"{code} {name['ja']}")


def locale(key: str) -> Text:
    """Return the name of a language of the conversations."""
    if key not in languages.tags():
        return plain(key)
    language = languages.of(key)
    return Text(language.name_en, language.name_ja)


def persona(key: str) -> Text:
    """Return who speaks."""
    return plain(named("persona", key))


def status(key: str) -> Text:
    """Return what became of a reply, a score or a verdict."""
    return plain(named("status", key))


def told(sentence: str, language: Locale) -> Markup:
    """Return a sentence as an element; one that is known in English only says so."""
    if in_language(sentence, "ja") == sentence:
        return Markup('<span lang="en">{}</span>').format(str(sentence))
    return say(plain(sentence), language)


def say(text: Text, language: Locale) -> Markup:
    """Return the text as an element that the page's language switch can rewrite."""
    if text.en == text.ja:
        return Markup("{}").format(text.en)
    return Markup('<span data-en="{}" data-ja="{}">{}</span>').format(text.en, text.ja, getattr(text, language))
