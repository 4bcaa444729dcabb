"""The content policy: know-how and real records, by the deny-list of ``policy.toml``.

Every text of a case is checked, the notes for reviewers too: they are published with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from jmedethic_pytest.cases.checks.findings import Finding, shown, texts
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.data import load

_FILE = "policy.toml"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_HYPHEN = re.compile(r"(?<=\d)[‐‑‒–—―−ー](?=\d)")


class Group(NamedTuple):
    """Patterns that are denied for one reason."""

    name: str
    reason: str
    advice: str
    japanese: tuple[re.Pattern[str], ...]
    latin: tuple[re.Pattern[str], ...]

    def found(self, folded: str) -> list[str]:
        """Return the denied passages of a folded text in order, without those inside another one."""
        patterns = self.latin if folded.isascii() else (*self.japanese, *self.latin)
        denying = [pattern for pattern in patterns if pattern.search(folded)]  # hardly ever any
        spans = sorted((match.span() for pattern in denying for match in pattern.finditer(folded)), key=_first_longest)
        passages, reached = [], 0
        for start, end in spans:
            if start >= reached:
                passages.append(folded[start:end])
                reached = end
        return passages


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for every denied passage of the case's texts, and if its language has no deny-list."""
    missing = languages.lack(case.locale, _FILE)
    if missing:
        yield Finding("policy.language", case.id, "locale", missing, "Without it nobody knows what these texts hold.")
    for field in texts(case):
        folded = fold(field.text).lower()
        for group in groups():
            for passage in group.found(folded):
                found = f"{shown(passage)} is denied. {group.reason}"
                yield Finding(f"policy.{group.name}", case.id, field.name, found, group.advice)


@lru_cache(maxsize=4096)  # a generated question is looked at by several stages
def denied(text: str) -> str | None:
    """Return the name of the first group of the deny-list that a text falls under, ``None`` if it is clean."""
    folded = fold(text).lower()
    return next((group.name for group in groups() if group.found(folded)), None)


def fold(text: str) -> str:
    """Return the text in NFKC, without invisible separators, with plain hyphens between digits."""
    return _HYPHEN.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))


def groups() -> tuple[Group, ...]:
    """Return the groups of the deny-list in file order."""
    return _groups(languages.tags())


@lru_cache(maxsize=4)
def _groups(there: tuple[str, ...]) -> tuple[Group, ...]:
    spoken = [tag for tag in there if languages.has(tag, _FILE)]
    return tuple(
        Group(
            item["name"],
            item["reason"],
            item["advice"],
            _of(item["name"], "kana", spoken),
            _of(item["name"], "alphabet", spoken),
        )
        for item in load(_FILE)["groups"]
    )


def _of(group: str, script: str, spoken: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a group in all languages of a script; they are applied to texts of every language."""
    tables = [languages.table(tag, _FILE) for tag in spoken if languages.of(tag).script == script]
    words = "|".join(languages.table(tag, _FILE)["number"] for tag in spoken)
    number = rf"(?:\d+(?:[.,]\d+)*|{words})"
    patterns = [pattern.replace("{N}", number) for table in tables for pattern in table["groups"].get(group, ())]
    return tuple(re.compile(pattern, re.ASCII) for pattern in patterns)  # no IGNORECASE: a literal beginning is fast


def _first_longest(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]
