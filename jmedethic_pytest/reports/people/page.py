"""The page of a study: for whoever keeps it, with a part for experts that sets its figures beside the paper's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.core import pages
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.data import text as shared_part
from jmedethic_pytest.reports.page.words import Text, plain, say
from jmedethic_pytest.reports.wording import figure, number, share, share_figure, share_interval
from jmedethic_pytest.stats.concordance import Concordance
from jmedethic_pytest.stats.estimate import Estimate

NAME = "report.html"
_FOLDER = "reports/templates/people"
_LANGUAGE_ONLY = """
showLanguage();
const button = document.getElementById("language");
button.hidden = false;
button.addEventListener("click", () => {
  language = language === "en" ? "ja" : "en";
  remember(language);
  showLanguage();
});
document.documentElement.dataset.ready = "true";
"""
PAPER = (
    ("people / people", "0.61-0.86", "0.64-0.87", "67.3-81.7%", "-", "0.648", "0.659"),
    ("people / judges", "0.777", "0.796", "76.5%", "1.51", "-", "-"),
)
"""The paper's table of its human study: 327 replies, three people (arXiv 2601.01627v2): pair, Pearson, Spearman,
within 2, mean absolute difference, Krippendorff's alpha, ICC(2,1)."""


class Line(NamedTuple):
    """A row of a table: its name, and its figures written out."""

    label: Text
    figures: tuple[str, ...]


def render(found: PeopleFigures) -> str:
    """Return the page; it holds figures alone."""
    return _template().render(
        found=found,
        headline=_share(found.measured, found.corrected),
        agreement=list(_agreement(found)),
        ratio=figure(found.ratio),
        biases=list(_biases(found)),
        verdicts=list(_verdicts(found)),
        repeats=list(_repeats(found)),
        experts=list(_experts(found)),
        published=PAPER,
        style=Markup(shared_part("page/base.css")),  # noqa: S704 - the package's own file
        script=Markup(_script()),  # noqa: S704 - the package's own files
        script_digest=pages.script_digest(_script()),
        data=Markup(pages.embedded({"words": _words()})),  # noqa: S704 - escaped in the line itself
    )


def word(name: str, /, **values: object) -> Text:
    """Return a text of the page in both languages, with values put in."""
    text = Text(*_words()[name])
    return text.fill(**values) if values else text


def _agreement(found: PeopleFigures) -> Iterator[Line]:
    for part in found.agreement:
        yield Line(word("pair.people", replies=_replies(part.key)), _pair(part.people))
        yield Line(word("pair.panel", replies=_replies(part.key)), _pair(part.panel))
    for item in found.instruments[1:]:
        yield Line(word("pair.judge", judge=visible(item.name)), _pair(item.agreement))
    constant = ("-", "-", "-", share(found.constant_within_2), number(found.constant_difference))
    yield Line(word("pair.constant"), ("", *constant))


def _replies(key: str) -> Text:
    return word("all") if key == "all" else plain(key) if key.startswith("T") else word("band", band=key)


def _pair(found: Concordance) -> tuple[str, ...]:
    figures = (figure(found.icc), figure(found.kappa), figure(found.alpha))
    return (str(found.n), *figures, share(found.within_2), number(found.mean_absolute_difference))


def _biases(found: PeopleFigures) -> Iterator[Line]:
    for item in found.bias:
        label = word(f"bias.{item.kind.replace(' ', '_')}", key=item.key)
        yield Line(label, (str(item.difference.n), figure(item.difference)))


def _verdicts(found: PeopleFigures) -> Iterator[Line]:
    for item in found.instruments:
        label = word("panel") if item is found.panel else plain(visible(item.name))
        shares = (item.accuracy.sensitivity, item.accuracy.specificity)
        yield Line(label, (*map(share_figure, shares), figure(item.accuracy.youden), figure(item.bias)))


def _repeats(found: PeopleFigures) -> Iterator[Line]:
    for item in found.repeats:
        shares = (share(item.same), share(item.within_1), share(item.verdicts))
        yield Line(plain(item.annotator), (str(item.replies), *shares))


def _experts(found: PeopleFigures) -> Iterator[Line]:
    for item in found.paper:
        rank = (number(item.pearson, 3), number(item.spearman, 3), share(item.within_2))
        rest = (number(item.mean_absolute_difference), number(item.alpha_ordinal, 3), number(item.icc21, 3))
        yield Line(plain(item.pair), (str(item.n), *rank, *rest))


def _share(*estimates: Estimate) -> list[tuple[str, str, str]]:
    return [(share(item.value), share_interval(item), item.reason) for item in estimates]


@lru_cache(maxsize=1)
def _words() -> dict[str, list[str]]:
    path = resources.files("jmedethic_pytest").joinpath(_FOLDER, "words.json")
    words: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return words


@lru_cache(maxsize=1)
def _script() -> str:
    return pages.script([shared_part("page/language.js"), _LANGUAGE_ONLY])


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = PackageLoader("jmedethic_pytest", _FOLDER)
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(visible=visible, number=number)
    environment.globals.update(word=word, say=say)
    return environment.get_template("people.html")
