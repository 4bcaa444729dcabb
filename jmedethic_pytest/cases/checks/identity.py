"""Real people and institutions: full names, known institutions, and names built like an institution's.

An invented institution is welcome where its conversation says that it is invented; a letter needs no such word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from jmedethic_pytest.cases.checks.findings import Finding, shown, texts
from jmedethic_pytest.cases.checks.policy import fold
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.data import load

_KANJI_NAME_BEFORE = re.compile(r"[一-龠々ヶァ-ヴー]{1,16}$")
_LATIN_NAME_BEFORE = re.compile(r"(?:[A-Z][\w'’.-]* ){1,6}$")


_SENTENCE_END = re.compile(r"(?<=\w{5}\.) ")
"""Behind a word that is too long for an abbreviation (St., Prof.)."""


class _Rules(NamedTuple):
    known: re.Pattern[str]
    placed: re.Pattern[str]
    """A place before the suffix of an institution."""
    suffix_ja: re.Pattern[str]
    quoted: re.Pattern[str]
    """A name in Japanese quotes, in any script: 「みなと病院」."""
    suffix_en: re.Pattern[str]
    generic_ja: re.Pattern[str]
    generic_en: frozenset[str]
    fiction: re.Pattern[str]
    people: re.Pattern[str]


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for every name in the case's texts that can be a real one."""
    data, rules = load("policy.toml"), _rules(case.locale)
    invented = rules.fiction.search(fold(" ".join(said.text for said in branches.every_turn(case))).lower()) is not None
    for field in texts(case):
        folded = fold(field.text)
        institutions = [match[0] for pattern in (rules.known, rules.placed) for match in pattern.finditer(folded)]
        if not invented:
            institutions += [name for name in _named(folded, rules) if not any(name in known for known in institutions)]
        people = [match[0] for match in rules.people.finditer(folded)]
        for kind, names in (("institutions", institutions), ("people", people)):
            for name in names:
                found = f"{shown(name)} can be real. {data[kind]['reason']}"
                yield Finding(f"identity.{kind}", case.id, field.name, found, data[kind]["advice"])


def _named(text: str, rules: _Rules) -> Iterator[str]:
    """Yield institution names with a proper name in them; a single letter or character is a code (K医科大学)."""
    for suffix in rules.suffix_ja.finditer(text):
        kanji = _KANJI_NAME_BEFORE.search(text, 0, suffix.start())
        if kanji and len(rules.generic_ja.sub("", kanji[0])) >= 2:
            yield kanji[0] + suffix[0]
    for quoted in rules.quoted.finditer(text):
        if len(rules.generic_ja.sub("", quoted["name"])) >= 2:
            yield quoted["name"] + quoted["suffix"]
    for suffix in rules.suffix_en.finditer(text):
        before = _LATIN_NAME_BEFORE.search(text, 0, suffix.start())
        name = _SENTENCE_END.split(before[0])[-1] if before else ""
        if any(len(word) > 1 and word not in rules.generic_en for word in name.replace(".", "").split()):
            yield name + suffix[0]


@lru_cache(maxsize=16)
def _rules(locale: Locale) -> _Rules:
    data = load("policy.toml")
    institutions, people = data["institutions"], dict(data["people"])
    spoken = [tag for tag in dict.fromkeys((*INTERFACE, locale)) if languages.has(tag, "policy.toml")]
    tables = {tag: languages.table(tag, "policy.toml") for tag in spoken}
    ja, others = tables["ja"]["institutions"], [tables[tag]["institutions"] for tag in spoken if tag != "ja"]
    en = {key: [word for table in others for word in table.get(key, ())] for key in tables["en"]["institutions"]}
    known = [*institutions["known"], *(word for table in others for word in table.get("known", ()))]
    for tag in spoken:
        people |= {
            **tables[tag]["people"],
            "titles": [*people.get("titles", ()), *tables[tag]["people"].get("titles", ())],
        }
    placed_ja = rf"(?:{_any(ja['places'])})[都道府県市区]?立?[一-龠ァ-ヴー]{{0,10}}?(?:{_any(ja['suffixes'])})"
    placed_en = rf"(?:{_any(en['places'])}) (?:[A-Z][\w'’.-]* ){{0,4}}?(?:{_any(en['named_suffixes'])})"
    return _Rules(
        known=re.compile("|".join(_word(name) for name in known)),
        placed=re.compile(rf"{placed_ja}|{placed_en}|University of [A-Z]\w+"),
        suffix_ja=re.compile(_any(ja["named_suffixes"])),
        quoted=re.compile(rf"「(?P<name>[^「」、。]{{1,12}}?)(?P<suffix>{_any(ja['quoted_suffixes'])})」"),
        suffix_en=re.compile(rf"(?:{_any(en['named_suffixes'])})\b"),
        generic_ja=re.compile(_any(ja["generic"])),
        generic_en=frozenset(en["generic"]),
        fiction=re.compile(rf"{_any(ja['fiction'])}|\b(?:{_any(en['fiction'])})"),
        people=re.compile(_full_names(people)),
    )


def _full_names(data: dict[str, Any]) -> str:
    not_given = f"(?!{_any([*data['not_given'], *data['address']])})"
    given = rf"{not_given}(?:[一-龠々]{{1,3}}?|[ぁ-ん]{{2,3}})"
    japanese = rf"(?:{_any(data['surnames'])})[ \u3000]?{given}(?:{_any(data['address'])})"
    return rf"{japanese}|(?:{_any(data['titles'])})\.? [A-Z][a-z]+ (?:[A-Z]\. )?[A-Z][a-z]+"


def _word(name: str) -> str:
    """Return the pattern of a plain name; a Latin one must stand alone."""
    return rf"{re.escape(name)}(?![a-z])" if name[0].isascii() else re.escape(name)


def _any(words: Iterable[str]) -> str:
    """Return the alternation of plain words, longest first, so that a short word never hides a long one."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
