"""The guidelines of a foreign list: what a data set names its topics by becomes guidelines of their own.

Intervals are clustered by guideline, since conversations about one topic share its difficulty. A topic that is none of
ours is a topic all the same: under one word for all of them there would be one cluster, and no interval. Rows that name
no topic at all stay together, because nothing says that they are independent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from jmedethic_pytest.cases import vocabulary_files
from jmedethic_pytest.cases.exchange import words
from jmedethic_pytest.cases.vocabulary_files import Pack
from jmedethic_pytest.core.errors import ConfigError, explain_validation
from jmedethic_pytest.core.languages import INTERFACE, Locale, interface
from jmedethic_pytest.core.vocabulary import SHIPPED

MOST = 999
"""So many topics a list may have; a column with more holds something else."""
_LONGEST = 200


class Topic(NamedTuple):
    """What one row calls its topic."""

    key: str
    """The number the row's list gives it, else its folded text: what makes two rows speak of one topic."""
    title: str
    """In words; empty if there is only a number."""
    locale: Locale
    conversation: str
    """The same for one conversation in two languages, so that the two names of its topic meet; empty if unknown."""


def read(given: Sequence[Any], locale: Locale, conversation: str) -> Topic:
    """Return the topic that the values of a row name, best first: the first is the topic, a later one may word it."""
    key, title = _split(given[0])
    titles = [title, *(_split(value)[1] for value in given[1:])]
    return Topic(key, next(filter(None, titles), ""), locale, conversation)


def _split(value: Any) -> tuple[str, str]:
    """Return what identifies a label, and its words."""
    folded, text = words.fold(value), " ".join(str(value).split())[:_LONGEST]
    number, rest = words.numbered(folded) or (None, "")
    if number is None or (rest and not any(char.isalpha() for char in rest)):
        return folded, text
    return str(number), re.sub(r"^.*?\d+\W*", "", text) if rest else ""


def pack(topics: Sequence[Topic], prefix: str, folder: Path) -> tuple[Pack, list[str]]:
    """Return the guidelines that go beside the cases, and the id of each topic.

    What a file of guidelines there says already stays as it is, so that titles and summaries written by hand survive
    the next import; a topic whose name it knows keeps its id.

    Raises:
        ConfigError: if that file is bad, or has no room for them.
    """
    file = folder / vocabulary_files.FILE
    old = vocabulary_files.load(file) if file.is_file() else None
    code = _code(prefix)
    group = f"{code}-"
    taken = {item.id: item for item in (old.guidelines if old else ())}
    named = {key: item.id for item in taken.values() if item.id.startswith(group) for key in item.source}
    ids: dict[str, str] = {}
    for keys in _same(topics):
        ids.update(dict.fromkeys(keys, _id(keys, named, {*taken, *ids.values()}, group)))
    new = [
        _entry(key, [topic for topic in topics if ids[topic.key] == key], code)
        for key in sorted({*ids.values()} - {*taken}, key=lambda key: int(key.removeprefix(group)))
    ]
    there: dict[str, Any] = {"schema_version": 1}
    if old is not None:
        there = old.model_dump(mode="json", by_alias=True, exclude_unset=True)
    groups = there.setdefault("categories", [])
    if code not in {item["code"] for item in groups}:
        groups.append({"code": code, "name_ja": f"取り込んだ会話({prefix})", "name_en": f"Imported ({prefix})"})
    there["guidelines"] = [*there.get("guidelines", []), *new]
    try:
        return Pack.model_validate(there), [ids[topic.key] for topic in topics]
    except ValidationError as error:
        raise ConfigError(explain_validation(error, str(file))) from None


def _code(prefix: str) -> str:
    """Return the letters that stand before the numbers of a data set's guidelines; never those of a shipped list."""
    code = re.sub(r"[^A-Z0-9]", "", prefix.upper()).lstrip("0123456789")[:7]
    return code if code and not any(key.startswith(f"{code}-") for key in SHIPPED.guidelines) else f"X{code}"


def _id(keys: Sequence[str], named: Mapping[str, str], taken: set[str], group: str) -> str:
    """Return the id of a topic: the one it had, its own number, or the next that is free."""
    if known := [named[key] for key in keys if key in named]:
        return known[0]
    if numbers := sorted(int(key) for key in keys if key.isdecimal()):
        return f"{group}{numbers[0]}"
    free = (f"{group}{number}" for number in range(1, MOST + 1))
    found = next((key for key in free if key not in taken), None)
    if found is None:
        raise ConfigError(f"{group}1 ... {group}{MOST} are all taken. Import into a folder of its own (--output).")
    return found


def _same(topics: Sequence[Topic]) -> Iterator[list[str]]:
    """Yield the keys of each topic, those with a number first: their ids are given.

    Two keys are one topic if one conversation has the one in Japanese and the other in English. Where a list is used in
    another sense in each language this makes fewer clusters, never more: intervals get wider.
    """
    root = {topic.key: topic.key for topic in topics}

    def find(key: str) -> str:
        while root[key] != key:
            key = root[key]
        return key

    by_conversation: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for topic in topics:
        if topic.conversation:
            by_conversation[topic.conversation].setdefault(topic.locale, topic.key)
    for names in by_conversation.values():
        first, *others = names.values()
        for other in others:
            root[find(other)] = find(first)
    found: dict[str, list[str]] = {}
    for key in root:
        found.setdefault(find(key), []).append(key)
    yield from sorted(found.values(), key=lambda keys: (not any(key.isdecimal() for key in keys), min(keys)))


def _entry(key: str, topics: Sequence[Topic], code: str) -> dict[str, Any]:
    """Return a guideline with its names in the data set; judges are told them, and a sentence true of any case."""
    general = SHIPPED.guideline("other").summary
    titles: dict[str, str] = {}
    for locale in INTERFACE:
        found = sorted({topic.title for topic in topics if interface(topic.locale) == locale and topic.title})
        if len({words.fold(title) for title in found}) == 1:
            titles[f"title_{locale}"] = found[0]
    number = key.rpartition("-")[2]
    return {
        "id": key,
        "category": code,
        **(titles or {"title_ja": f"データセットの指針{number}", "title_en": f"Guideline {number} of the data set"}),
        **{f"summary_{locale}": general[locale] for locale in INTERFACE},
        "source": sorted({topic.key for topic in topics}),
    }
