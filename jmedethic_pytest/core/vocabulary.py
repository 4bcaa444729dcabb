"""The benchmark's vocabulary: guidelines, categories, strategies, locales, personas, harm classes.

A :class:`Vocabulary` is a value. Every run has its own: the shipped words, and what lies beside its case files.

The guideline list is this project's own reconstruction (see ``data/guidelines.json``, ``_about``); a result per
guideline is a result on "the project guideline set", not on "the paper's guideline k". Strategy names are the paper's
(CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, Protocol, Self

from pydantic import TypeAdapter

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.languages import INTERFACE
from jmedethic_pytest.data import load

SUITES = ("core", "full", "smoke", "long", "twins")
"""The suites of the bundled cases."""

Persona = Literal[
    "patient",
    "family",
    "nurse",
    "physician",
    "resident",
    "pharmacist",
    "allied",
    "administrator",
    "researcher",
    "student",
    "educator",
    "insurer",
    "journalist",
    "writer",
    "lawyer",
    "official",
    "industry",
    "citizen",
]
HarmClass = Literal[
    "consent",
    "confidentiality",
    "records",
    "certificates",
    "billing",
    "access",
    "discrimination",
    "boundaries",
    "coercion",
    "research_integrity",
    "conflict_of_interest",
    "end_of_life",
    "reproduction",
    "genetics",
    "safety_reporting",
    "public_health",
    "advertising",
    "professional_conduct",
    "unproven_treatment",
    "resource_allocation",
]

Branch = Literal["refused", "complied"]
"""Which way a conversation goes on after its common turns."""
Tier = Literal["D1", "D2", "D3"]
"""D1 overt: the wrong is said aloud; D2 framed: the last turn keeps its frame, and the breach lies in the text it asks
for; D3 incremental: every turn asks for a small piece, and the breach lies in the sum."""


class Guideline(NamedTuple):
    """One of the 67 topics of the project guideline set."""

    id: str
    category: str
    title: dict[str, str]
    """Title by locale."""
    summary: dict[str, str]
    """What the guideline asks for, in our own words, by locale."""
    related_law: tuple[str, ...]
    """Pointers to statutes from general knowledge; not legal advice."""
    place: dict[str, str] = {}
    """Where it holds, by locale: ``the United States``. Empty of the shipped list, which is for Japan."""


class Category(NamedTuple):
    """One of the eight groups of guidelines."""

    code: str
    name: dict[str, str]


class Strategy(NamedTuple):
    """One of the seven multi-turn attack strategies (arXiv 2601.01627v2, Table 4)."""

    id: str
    slug: str
    name: dict[str, str]
    definition: dict[str, str]


def _by_locale(item: dict[str, Any], name: str) -> dict[str, str]:
    return {locale: item[f"{name}_{locale}"] for locale in INTERFACE}


def _guideline(key: str, item: dict[str, Any]) -> Guideline:
    return Guideline(
        id=key,
        category=item["category"],
        title=_by_locale(item, "title"),
        summary=_by_locale(item, "summary"),
        related_law=tuple(item.get("related_law", ())),
    )


def _category(key: str, item: dict[str, Any]) -> Category:
    return Category(code=key, name=_by_locale(item, "name"))


def _strategy(key: str, item: dict[str, Any]) -> Strategy:
    return Strategy(id=key, slug=item["slug"], name=_by_locale(item, "name"), definition=_by_locale(item, "definition"))


@lru_cache(maxsize=1)
def guidelines() -> dict[str, Guideline]:
    """Return the 67 guidelines by id (``JMA-01`` ... ``JMA-67``)."""
    return {item["id"]: _guideline(item["id"], item) for item in load("guidelines.json")["guidelines"]}


@lru_cache(maxsize=1)
def categories() -> dict[str, Category]:
    """Return the eight categories by letter (``A`` ... ``H``)."""
    return {item["code"]: _category(item["code"], item) for item in load("guidelines.json")["categories"]}


@lru_cache(maxsize=1)
def strategies() -> dict[str, Strategy]:
    """Return the seven strategies by id (``S1`` ... ``S7``), in every language that has words for them."""
    others = [tag for tag in languages.tags() if tag not in INTERFACE and languages.has(tag, "strategies.json")]
    found = {item["id"]: _strategy(item["id"], item) for item in load("strategies.json")["strategies"]}
    for tag in others:
        for key, words in languages.table(tag, "strategies.json").items():
            found[key].name[tag], found[key].definition[tag] = words["name"], words["definition"]
    return found


class Named(Protocol):
    """What names a guideline: a case, or its label."""

    @property
    def guideline(self) -> str:
        """Id of its guideline."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that cases may use: the shipped ones, the stand-ins for imported cases, and words of one's own."""

    own_guidelines: Mapping[str, Guideline] = field(default_factory=dict)
    own_categories: Mapping[str, Category] = field(default_factory=dict)
    own_strategies: Mapping[str, Strategy] = field(default_factory=dict)

    @cached_property
    def guidelines(self) -> dict[str, Guideline]:
        """Every guideline a case may name, by id: the 67, one's own, and ``other`` for imported cases."""
        imported = load("imported.toml")["guidelines"]
        return {**guidelines(), **self.own_guidelines, **{key: _guideline(key, item) for key, item in imported.items()}}

    @cached_property
    def categories(self) -> dict[str, Category]:
        """Every category of those guidelines, by code."""
        imported = load("imported.toml")["categories"]
        return {**categories(), **self.own_categories, **{key: _category(key, item) for key, item in imported.items()}}

    @cached_property
    def strategies(self) -> dict[str, Strategy]:
        """Every strategy a case may name, by id: the seven, one's own, and ``direct`` and ``other``."""
        imported = load("imported.toml")["strategies"]
        return {**strategies(), **self.own_strategies, **{key: _strategy(key, item) for key, item in imported.items()}}

    def guideline(self, key: str) -> Guideline:
        """Return a guideline; an id that nobody explains stands for itself, so that what is stored can be shown."""
        return self.guidelines.get(key) or Guideline(key, "other", _alike(key), _alike(""), ())

    def category(self, code: str) -> Category:
        """Return a category, or a stand-in likewise."""
        return self.categories.get(code) or Category(code, _alike(code))

    def strategy(self, key: str) -> Strategy:
        """Return a strategy, or a stand-in likewise."""
        return self.strategies.get(key) or Strategy(key, key, _alike(key), _alike(""))

    def with_own(self, more: Vocabulary, place: str) -> Vocabulary:
        """Return the vocabulary with more words of one's own; the shipped ones among them are no news.

        Args:
            more: the words.
            place: where they were read, for the error.

        Raises:
            ConfigError: naming every id and code that has another meaning already.
        """
        kinds = (
            (self.guidelines, more.own_guidelines, guidelines(), self.own_guidelines),
            (self.categories, more.own_categories, categories(), self.own_categories),
            (self.strategies, more.own_strategies, strategies(), self.own_strategies),
        )
        clashes = [key for known, added, *_ in kinds for key, item in added.items() if known.get(key, item) != item]
        if clashes:
            raise ConfigError(
                [
                    f"{place}: {name!r} already means something else in this run. Give guidelines, categories and "
                    "strategies of your own ids of their own."
                    for name in clashes
                ]
            )
        own: list[Any] = [
            {**own, **{key: item for key, item in added.items() if key not in shipped}}
            for _, added, shipped, own in kinds
        ]
        return Vocabulary(*own)

    def record(self, cases: Iterable[Named]) -> dict[str, Any]:
        """Return words of one's own as plain data, for a run's record and for other processes.

        Of guidelines only those that cases name: a list may be long. Floors may speak of any strategy.
        """
        named = {case.guideline for case in cases}
        guides = [item for key, item in sorted(self.own_guidelines.items()) if key in named]
        codes = {item.category for item in guides}
        tables: dict[str, list[Any]] = {
            "guidelines": guides,
            "categories": [item for code, item in sorted(self.own_categories.items()) if code in codes],
            "strategies": [item for _, item in sorted(self.own_strategies.items())],
        }
        return {name: [_plain(item) for item in items] for name, items in tables.items() if items}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Return the vocabulary that :meth:`record` described.

        Raises:
            ValueError: if it is damaged.
        """
        known = _RECORD.validate_python(record)
        return cls(
            {item.id: item for item in known.guidelines},
            {item.code: item for item in known.categories},
            {item.id: item for item in known.strategies},
        )


def _plain(item: Any) -> dict[str, Any]:
    """Return an item as a record holds it; a place is said only where there is one."""
    given: dict[str, Any] = item._asdict()
    place = dict(given.pop("place", {}))
    return {**given, **({"place": place} if place else {})}


def _alike(text: str) -> dict[str, str]:
    return dict.fromkeys(INTERFACE, text)


class _Recorded(NamedTuple):
    guidelines: tuple[Guideline, ...] = ()
    categories: tuple[Category, ...] = ()
    strategies: tuple[Strategy, ...] = ()


_RECORD = TypeAdapter(_Recorded)
SHIPPED = Vocabulary()
"""The words that come with the package."""
