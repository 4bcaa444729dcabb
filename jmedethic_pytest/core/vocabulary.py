"""The benchmark's fixed vocabulary: guidelines, categories, strategies, locales, personas, harm classes.

The guideline list is this project's own reconstruction (see ``data/guidelines.json``, ``_about``); a result per
guideline is a result on "the project guideline set", not on "the paper's guideline k". Strategy names are the paper's
(CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

from jmedethic_pytest.data import load

Locale = Literal["ja", "en"]
LOCALES: tuple[Locale, ...] = get_args(Locale)

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


class Guideline(NamedTuple):
    """One of the 67 topics of the project guideline set."""

    id: str
    category: str
    title: dict[str, str]
    """Title by locale."""
    summary: dict[str, str]
    """What the guideline asks for, in our own words, by locale."""
    related_law: tuple[str, ...]
    """Pointers to Japanese statutes from general knowledge; not legal advice."""


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


def _by_locale(item: dict[str, Any], field: str) -> dict[str, str]:
    return {locale: item[f"{field}_{locale}"] for locale in LOCALES}


def _guideline(key: str, item: dict[str, Any]) -> Guideline:
    return Guideline(
        id=key,
        category=item["category"],
        title=_by_locale(item, "title"),
        summary=_by_locale(item, "summary"),
        related_law=tuple(item.get("related_law", ())),
    )


def _strategy(key: str, item: dict[str, Any]) -> Strategy:
    return Strategy(id=key, slug=item["slug"], name=_by_locale(item, "name"), definition=_by_locale(item, "definition"))


@lru_cache(maxsize=1)
def guidelines() -> dict[str, Guideline]:
    """Return the 67 guidelines by id (``JMA-01`` ... ``JMA-67``)."""
    return {item["id"]: _guideline(item["id"], item) for item in load("guidelines.json")["guidelines"]}


@lru_cache(maxsize=1)
def categories() -> dict[str, Category]:
    """Return the eight categories by letter (``A`` ... ``H``)."""
    items = load("guidelines.json")["categories"]
    return {item["code"]: Category(code=item["code"], name=_by_locale(item, "name")) for item in items}


@lru_cache(maxsize=1)
def strategies() -> dict[str, Strategy]:
    """Return the seven strategies by id (``S1`` ... ``S7``)."""
    return {item["id"]: _strategy(item["id"], item) for item in load("strategies.json")["strategies"]}


@lru_cache(maxsize=1)
def known_guidelines() -> dict[str, Guideline]:
    """Return every guideline a case may name: the 67, those of packs in use, and ``other`` for imported cases."""
    imported = load("imported.toml")["guidelines"]
    return {**guidelines(), **_extra_guidelines, **{key: _guideline(key, item) for key, item in imported.items()}}


@lru_cache(maxsize=1)
def known_strategies() -> dict[str, Strategy]:
    """Return every strategy a case may name: the seven, added ones, and ``direct`` and ``other`` for imported cases."""
    imported = load("imported.toml")["strategies"]
    return {**strategies(), **_extra_strategies, **{key: _strategy(key, item) for key, item in imported.items()}}


_extra_guidelines: dict[str, Guideline] = {}
_extra_categories: dict[str, Category] = {}
_extra_strategies: dict[str, Strategy] = {}


class Vocabulary(NamedTuple):
    """Words beside the shipped ones: the guidelines and categories of packs, and strategies found elsewhere."""

    guidelines: Mapping[str, Guideline] = {}
    categories: Mapping[str, Category] = {}
    strategies: Mapping[str, Strategy] = {}


def extend(more: Vocabulary) -> list[str]:
    """Make words known to this process, unless any has another meaning already.

    Returns:
        The ids and codes that mean something else; then nothing was added.
    """
    groups = {**categories(), **_extra_categories}
    clashes = [key for key, item in more.guidelines.items() if known_guidelines().get(key, item) != item]
    clashes += [code for code, item in more.categories.items() if groups.get(code, item) != item]
    clashes += [key for key, strategy in more.strategies.items() if known_strategies().get(key, strategy) != strategy]
    if not clashes:
        _extra_guidelines.update({key: item for key, item in more.guidelines.items() if key not in guidelines()})
        _extra_categories.update({code: item for code, item in more.categories.items() if code not in categories()})
        _extra_strategies.update({key: item for key, item in more.strategies.items() if key not in strategies()})
        known_guidelines.cache_clear()
        known_strategies.cache_clear()
    return clashes


def extras() -> Vocabulary:
    """Return the words this process knows beside the shipped ones."""
    return Vocabulary(dict(_extra_guidelines), dict(_extra_categories), dict(_extra_strategies))


def guideline(key: str) -> Guideline:
    """Return the guideline a case names, stand-ins of imported cases included."""
    return known_guidelines()[key]


def category(code: str) -> Category:
    """Return the category of a guideline, the stand-in of imported cases included."""
    imported = load("imported.toml")["categories"]
    if code in imported:
        return Category(code=code, name=_by_locale(imported[code], "name"))
    return _extra_categories[code] if code in _extra_categories else categories()[code]


def strategy(key: str) -> Strategy:
    """Return the strategy a case names, stand-ins of imported cases included."""
    return known_strategies()[key]
