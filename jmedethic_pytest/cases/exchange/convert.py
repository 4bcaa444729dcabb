"""Rows into cases, by a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from jmedethic_pytest.cases.exchange import dialogue, ids, topics, words
from jmedethic_pytest.cases.exchange.dialogue import Dialogue, Unusable
from jmedethic_pytest.cases.exchange.mapping import Mapping
from jmedethic_pytest.cases.exchange.report import Report
from jmedethic_pytest.cases.exchange.rows import Row
from jmedethic_pytest.cases.exchange.topics import Topic
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.core.vocabulary import HarmClass, Persona

MAX_TURNS = 10


@dataclass(frozen=True)
class Wishes:
    """What the command line says about every row."""

    prefix: str
    suites: tuple[str, ...] = ()
    twins: bool = False
    """The rows are benign: they measure over-refusal."""
    guideline_numbers: bool = False
    """A lone guideline number is a number of our list."""


class Converted(NamedTuple):
    """A case, and the topic it names if that is no guideline of ours."""

    case: Case
    topic: Topic | None


def convert(rows: Iterable[Row], mapping: Mapping, wishes: Wishes, report: Report) -> list[Converted]:
    """Return the cases of the rows that can become one; everything else is in the report."""
    cases: dict[ids.Key, Converted] = {}
    for row in rows:
        try:
            reading = _Row(row, mapping, wishes, report)
            case = reading.case()
            key = _key(row, mapping, wishes, case)
            if key in cases:
                raise Unusable("the same conversation as an earlier row")
        except Unusable as error:
            report.drop(str(error), row.place)
            continue
        cases[key] = Converted(case, reading.topic(key))
    named = zip(cases.values(), ids.assign(list(cases)), strict=True)
    return [Converted(_named(found.case, case_id), found.topic) for found, case_id in named]


def _named(case: Case, case_id: str) -> Case:
    twin_of = case_id.removeprefix(f"{case.locale}-").removesuffix("-twin")
    return case.model_copy(update={"id": case_id, "twin_of": twin_of if case.twin_of else None})


def _key(row: Row, mapping: Mapping, wishes: Wishes, case: Case) -> ids.Key:
    parts = [words.fold(row.values.get(name)) for name in mapping.columns.id]
    content = ids.content(case.strategy, case.guideline, *case.turns, "\x1e", *case.reference)
    source = "-".join(part for part in parts if part)
    return ids.Key(case.locale, wishes.prefix, source, case.strategy, content, twin=wishes.twins)


class _Row:
    """One row being read."""

    def __init__(self, row: Row, mapping: Mapping, wishes: Wishes, report: Report) -> None:
        self._row = row
        self._mapping = mapping
        self._wishes = wishes
        self._report = report
        self._labels: list[str] = []
        self._topic: list[Any] = []

    def case(self) -> Case:
        """Return the case, whose id is still to be found.

        Raises:
            Unusable: if the row cannot become one.
        """
        talk = self._dialogue()
        found = {
            "locale": self._locale(talk),
            "guideline": self._guideline(),
            "strategy": self._strategy(talk),
            "turns": talk.turns,
            "question": self._question(talk),
            "reference": self._reference(talk),
            "expected": self._expected(talk),
            "fail_if": self._text("fail_if"),
            "persona": self._one_of("persona", get_args(Persona)),
            "harm_class": self._one_of("harm_class", get_args(HarmClass)),
        }
        tags = [words.label(value) for value in self._values("tags")] + self._labels
        found["tags"] = tuple(dict.fromkeys(tag for tag in tags if tag))
        try:
            twin_of = "x" if self._wishes.twins else None
            return Case.model_validate({"id": "x", "suites": self._wishes.suites, "twin_of": twin_of, **found})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise Unusable(f"no valid case: {first['loc'][0]}: {first['msg']}") from None

    def topic(self, key: ids.Key) -> Topic | None:
        """Return the topic that the row names, after :meth:`case`; ``None`` if it names one of ours, or none."""
        same = f"{key.source} {key.strategy}" if key.source else ""
        locale: Any = key.locale
        return topics.read(self._topic, locale, same) if self._topic else None

    def _dialogue(self) -> Dialogue:
        talk = dialogue.read([self._row.values.get(name) for name in self._mapping.columns.turns])
        if len(talk.turns) > MAX_TURNS:
            raise Unusable(f"more than {MAX_TURNS} user turns")
        for note in talk.left_out:
            self._report.note(f"{note} was left out: a case holds user turns and replies only")
        return talk

    def _locale(self, talk: Dialogue) -> Locale:
        for value in self._values("locale"):
            found = words.locale(value)
            if found is None:
                raise Unusable(f"language {value!r} is neither ja nor en")
            return found
        found = self._mapping.defaults.locale or words.script(talk.turns)
        if found is None:
            raise Unusable("written in neither Japanese nor English (to import it all the same, give --locale)")
        return found

    def _guideline(self) -> str:
        given = list(self._values("guideline"))
        for value in given:
            found = words.guideline(value, numbers=self._wishes.guideline_numbers)
            if found is not None:
                return found
        default = self._mapping.defaults.guideline or "other"
        if given and default == "other":
            self._topic = given
            self._report.note("the guideline is none of ours: kept as one of its own")
        elif given:
            self._unknown("guideline", given[0])
        return default

    def _strategy(self, talk: Dialogue) -> str:
        for value in self._values("strategy"):
            found = words.strategy(value)
            if found is not None:
                return found
            self._unknown("strategy", value)
        return self._mapping.defaults.strategy or ("direct" if len(talk.turns) == 1 else "other")

    def _unknown(self, field: str, value: Any) -> None:
        """Keep a label that is none of ours as a tag, and say so."""
        default = getattr(self._mapping.defaults, field) or "the stand-in for unknown ones"
        self._report.note(f"{field} {words.label(value)!r} is none of ours: kept as a tag, {field} set to {default}")
        self._labels.append(f"{field}-{words.label(value)}")

    def _question(self, talk: Dialogue) -> str:
        if self._wishes.twins:
            return ""
        return self._text("question") or (talk.turns[0] if len(talk.turns) == 1 else "")

    def _reference(self, talk: Dialogue) -> Sequence[str]:
        """Return the replies that can be replayed: all, or all but the last; else none."""
        names = self._mapping.columns.reference
        found = dialogue.texts([self._row.values.get(name) for name in names]) if names else talk.replies
        replies = tuple(found[: len(talk.turns)])
        if replies and (len(replies) < len(talk.turns) - 1 or not all(replies)):
            self._report.note("reference replies with a gap were left out")
            return ()
        return replies

    def _expected(self, talk: Dialogue) -> Sequence[str]:
        names = self._mapping.columns.expected
        found = dialogue.texts([self._row.values.get(name) for name in names]) if names else ()
        if found and (len(found) != len(talk.turns) or not all(found)):
            self._report.note("'expected' has not one entry for each turn and was left out")
            return ()
        return found

    def _one_of(self, field: str, allowed: Sequence[str]) -> str | None:
        for value in self._values(field):
            word = words.slug(value).replace("-", "_")
            if word in allowed:
                return word
            self._report.note(f"{field} {words.label(value)!r} is none of ours and was left out")
        return None

    def _text(self, field: str) -> str:
        return " ".join(str(value).strip() for value in self._values(field))

    def _values(self, field: str) -> Iterator[Any]:
        """Yield the values of a field's columns that are not empty, translated by the mapping's word lists."""
        known: dict[str, str] = getattr(self._mapping.values, field, {})
        table = {words.fold(word): ours for word, ours in known.items()}
        for name in getattr(self._mapping.columns, field):
            value = self._row.values.get(name)
            for item in value if isinstance(value, list) else [value]:
                if words.fold(item):
                    yield table.get(words.fold(item), item)
