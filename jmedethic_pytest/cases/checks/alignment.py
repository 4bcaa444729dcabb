"""Alignment: the two languages of a conversation, a twin and its counterpart, and an id and its labels agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jmedethic_pytest.cases.checks import fidelity
from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.checks.ngrams import sequence, size
from jmedethic_pytest.cases.checks.promise import Promise
from jmedethic_pytest.cases.checks.turns import jaccard
from jmedethic_pytest.core import branches, languages
from jmedethic_pytest.core.languages import INTERFACE
from jmedethic_pytest.core.records import Case

_SHARED = (
    *("guideline", "strategy", "suites", "twin_of", "persona", "harm_class", "tags"),
    *("tier", "t1_verdict", "device", "setting", "specialty", "victim", "author", "reviewed_by"),
)
_SHARED_BY_TWINS = ("guideline", "strategy", "persona")
_STEM = re.compile(r"^([a-z]+)(\d\d)-s(\d)-(?:\d\d(-twin)?|long)$")

MAX_TWIN_OVERLAP = 0.75
"""Largest Jaccard overlap between the n-grams of a twin's last turn and of its counterpart's: the closest of the
bundled ones share 0.56, being minimal pairs; above this limit the twin asks for what its counterpart asks for."""


def check(cases: Sequence[Case], promised: Promise | None = None) -> Iterator[Finding]:
    """Yield a finding for every disagreement of labels, languages and twins.

    Args:
        cases: the cases to compare with each other.
        promised: of the whole benchmark that they are, in which a missing language, counterpart or label is a defect.
    """
    by_id = {case.id: case for case in cases}
    first = INTERFACE[0] if promised is None else promised.locales[0]
    for case in cases:
        if promised is not None:
            yield from _labels(case)
            yield from _presence(case, by_id, promised)
        counterpart = by_id.get(f"{case.locale}-{case.twin_of}")
        if counterpart is not None:
            yield from _twin(case, counterpart)
        for other in languages.tags() if case.locale == first else ():
            if other != first and (form := by_id.get(f"{languages.prefix(other)}{case.stem}")) is not None:
                yield from _languages(case, form)


def _presence(case: Case, by_id: dict[str, Case], promised: Promise) -> Iterator[Finding]:
    for locale in promised.locales:
        if f"{locale}-{case.stem}" not in by_id:
            advice = f"Write {locale}-{case.stem}: every conversation exists in all languages."
            yield Finding("alignment.locale", case.id, "", f"no {locale} form.", advice)
    if case.twin_of is not None and f"{case.locale}-{case.twin_of}" not in by_id:
        found = f"its counterpart {case.locale}-{case.twin_of} does not exist."
        yield Finding("alignment.twin", case.id, "twin_of", found, "Name the stem of an existing case, without locale.")


def _labels(case: Case) -> Iterator[Finding]:
    match = _STEM.match(case.stem)
    wanted = (f"{match[1].upper()}-{match[2]}", f"S{match[3]}", case.twin_of is not None) if match else None
    if match is None or wanted != (case.guideline, case.strategy, match[4] is not None):
        found = f"the id does not fit guideline {case.guideline}, strategy {case.strategy}, twin_of {case.twin_of!r}."
        advice = "An id reads <locale>-<list><guideline>-s<strategy>-<number>; twins end in -twin, long ones in -long."
        yield Finding("alignment.id", case.id, "id", found, advice)
    required = ["persona", "tags", "expected", "fail_if"] + (
        [] if case.twin_of else ["question", "harm_class", "components"]
    )
    for name in required:
        if not getattr(case, name):
            yield Finding("alignment.labels", case.id, name, "is empty.", "Reviewers and reports need it: fill it in.")
    if case.twin_of and case.question:
        yield Finding("alignment.labels", case.id, "question", "a twin has no harmful request.", "Leave it empty.")
    if case.reference:
        advice = "Remove it: answers of models are never shipped."
        yield Finding("alignment.labels", case.id, "reference", "holds replies.", advice)


def _twin(case: Case, counterpart: Case) -> Iterator[Finding]:
    yield from _differences("alignment.twin", case, counterpart, _SHARED_BY_TWINS)
    if case.turns[0] != counterpart.turns[0]:
        found = f"differs from T0 of {counterpart.id}."
        yield Finding("alignment.twin", case.id, "T0", found, "A twin begins as its counterpart: copy T0.")
    overlap = jaccard(*(set(sequence(form.turns[-1], size(case.locale))) for form in (case, counterpart)))
    if overlap > MAX_TWIN_OVERLAP:
        found = f"asks for the same as {counterpart.id} (overlap {overlap:.2f}, at most {MAX_TWIN_OVERLAP})."
        yield Finding("alignment.twin", case.id, f"T{len(case.turns) - 1}", found, "Ask for something legitimate.")


def _languages(first: Case, second: Case) -> Iterator[Finding]:
    yield from _differences("alignment.labels", first, second, _SHARED)
    if len(first.components) != len(second.components):
        found = f"{len(first.components)} components, {second.id} has {len(second.components)}."
        yield Finding("alignment.components", first.id, "components", found, "Cut T2 into the same parts in both.")
    for name in ("turns", "turns_if_refused", "turns_if_complied"):
        mine, theirs = len(getattr(first, name)), len(getattr(second, name))
        if mine != theirs:
            found = f"{mine} turns, {second.id} has {theirs}."
            yield Finding("alignment.turns", first.id, name, found, "Write the same number of turns in both languages.")
    if second.locale not in INTERFACE:
        return  # numbers in words are known in Japanese and English only
    there = dict(branches.every_turn(second))
    for place, text in branches.every_turn(first):
        lost = fidelity.lost_numbers(text, there.get(place, text))
        if lost:
            found = f"numbers that are not in both: {', '.join(map(str, sorted(lost)))}, compare {second.id}."
            advice = "Say the same quantity in both languages, in digits or in words."
            yield Finding("alignment.numbers", first.id, place, found, advice)


def _differences(check: str, first: Case, second: Case, names: Sequence[str]) -> Iterator[Finding]:
    for name in names:
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            yield Finding(check, first.id, name, f"{one!r}, but {other!r} in {second.id}.", "Make the two agree.")
