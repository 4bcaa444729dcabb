"""What pages of figures alone have in common: words of their own in both languages, tables, and a language switch."""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

from jmedethic_pytest.core import pages
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.data import text as shared_part
from jmedethic_pytest.reports.wording import number
from jmedethic_pytest.reports.words import Text, say, told

_FOLDER = "reports/templates"


class Line(NamedTuple):
    """A row of a table: its name, its figures written out, and what they come to."""

    label: Text
    figures: tuple[str, ...]
    answers: tuple[Text, ...] = ()


class FigurePage:
    """A page that holds figures alone.

    Args:
        name: its folder among the templates, with ``NAME.html`` and ``words.json`` in it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def word(self, name: str, /, **values: object) -> Text:
        """Return a text of the page in both languages, with values put in."""
        text = Text(*self._words[name])
        return text.fill(**values) if values else text

    def render(self, **figures: Any) -> str:
        """Return the page, given what its template shows."""
        return self._template.render(
            **figures,
            style=Markup(shared_part("page/base.css")),  # noqa: S704 - the package's own file
            script=Markup(_script()),  # noqa: S704 - the package's own files
            script_digest=pages.script_digest(_script()),
            data=Markup(pages.embedded({"words": self._words})),  # noqa: S704 - escaped in the line itself
        )

    @cached_property
    def _words(self) -> dict[str, list[str]]:
        path = resources.files("jmedethic_pytest").joinpath(_FOLDER, self._name, "words.json")
        words: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
        return words

    @cached_property
    def _template(self) -> Template:
        loader = PackageLoader("jmedethic_pytest", _FOLDER)
        environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
        environment.filters.update(visible=visible, number=number)
        environment.globals.update(word=self.word, say=say, told=told)
        return environment.get_template(f"{self._name}/{self._name}.html")


@lru_cache(maxsize=1)
def _script() -> str:
    return pages.script([shared_part("page/language.js"), shared_part("page/figures.js")])
