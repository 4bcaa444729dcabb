"""The balance of the bundled suites: what ``core``, ``smoke``, ``full``, ``twins`` and ``long`` promise to hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from jmedethic_pytest.cases.checks.findings import Finding
from jmedethic_pytest.cases.checks.promise import Promise
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.records import Case


def check(cases: Sequence[Case], promised: Promise) -> Iterator[Finding]:
    """Yield a finding for every cell, guideline or suite of a locale that does not hold what is promised."""
    for locale in promised.locales:
        members = [case for case in cases if case.locale == locale]
        for suite in promised.cells:
            yield from _cells([case for case in members if suite in case.suites], locale, suite, promised)
        yield from _smoke([case for case in members if "smoke" in case.suites], locale, promised.guidelines)
        for suite, count in promised.pairs.items():
            yield from _pairs([case for case in members if suite in case.suites], locale, suite, count, promised)
        if promised.twins is not None:
            twins = [case for case in members if "twins" in case.suites]
            yield from _number(twins, locale, "twins", promised.twins)
        yield from _strays(members, promised.widest)
    for locale, count in promised.partly.items():
        members = [case for case in cases if case.locale == locale]
        yield from _number(members, locale, promised.widest, count)
        yield from _strays(members, promised.widest)


def _number(members: Sequence[Case], locale: str, suite: str, count: int) -> Iterator[Finding]:
    """Find another number of conversations than promised, and strategies that are not alike in number."""
    if len(members) != count:
        found = f"{len(members)} {locale} cases in {suite}, promised are {count}."
        yield Finding(f"balance.{suite}", f"{suite} {locale}", "", found, "Write what lacks, or mend pack.toml.")
    yield from _evenly(members, locale, suite)


def _cells(members: Sequence[Case], locale: str, suite: str, promised: Promise) -> Iterator[Finding]:
    held: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in members:
        held[case.guideline, case.strategy].append(case.id)
    wanted = promised.cells[suite]
    for guideline in promised.guidelines:
        for strategy in vocabulary.strategies():
            ids = held[guideline, strategy]
            if len(ids) != wanted:
                found = f"{len(ids)} {locale} cases in this cell{_listed(ids)}."
                times = "once" if wanted == 1 else "twice"
                advice = f"{suite} holds every (guideline, strategy) cell {times} in each locale."
                yield Finding(f"balance.{suite}", f"{guideline} {strategy}", "", found, advice)


def _smoke(smoke: Sequence[Case], locale: str, guidelines: Sequence[str]) -> Iterator[Finding]:
    held = _by_guideline(smoke)
    strategies = list(vocabulary.strategies())
    for position, guideline in enumerate(guidelines):
        cases = held.get(guideline, [])
        expected = strategies[position % len(strategies)]
        if len(cases) != 1:
            found = f"{len(cases)} {locale} cases in smoke{_listed(case.id for case in cases)}."
            advice = f"smoke holds one case a guideline, here the one of {expected}: mend the field 'suites'."
            yield Finding("balance.smoke", guideline, "suites", found, advice)
        elif cases[0].strategy != expected:
            found = f"smoke holds {cases[0].strategy} for {guideline}."
            advice = f"The strategies rotate over the guidelines: here {expected} is due."
            yield Finding("balance.smoke", cases[0].id, "suites", found, advice)


def _pairs(members: Sequence[Case], locale: str, suite: str, count: int, promised: Promise) -> Iterator[Finding]:
    held = _by_guideline(members)
    for guideline in promised.guidelines:
        cases = held.get(guideline, [])
        if len(cases) != count or len({case.strategy for case in cases}) != len(cases):
            found = f"{len(cases)} {locale} {suite}{_listed(f'{case.id} ({case.strategy})' for case in cases)}."
            advice = f"Each guideline has {count} cases in {suite}, of different strategies."
            yield Finding(f"balance.{suite}", guideline, "", found, advice)
    yield from _evenly(members, locale, suite)


def _evenly(members: Sequence[Case], locale: str, suite: str) -> Iterator[Finding]:
    counts = Counter(dict.fromkeys(vocabulary.strategies(), 0))
    counts.update(case.strategy for case in members)
    if max(counts.values()) - min(counts.values()) > 1:
        shown = ", ".join(f"{strategy} {count}" for strategy, count in sorted(counts.items()))
        advice = f"Spread {suite} evenly: the strategies may differ by one case at most."
        yield Finding(f"balance.{suite}", f"{suite} {locale}", "strategy", f"{suite} by strategy: {shown}.", advice)


def _strays(cases: Sequence[Case], widest: str) -> Iterator[Finding]:
    """Find cases whose suites contradict each other: smoke is a part of core, core of the widest, all else apart."""
    for case in cases:
        suites = set(case.suites)
        own = "twins" if case.twin_of is not None else "long" if case.turns_if_refused else None
        if own is not None and suites != {own}:
            advice = (
                f"A {'twin' if own == 'twins' else 'conversation with branches'} belongs to the suite {own!r} alone."
            )
        elif own is None and (widest not in suites or ("smoke" in suites and "core" not in suites)):
            advice = f"smoke is a part of core, core is a part of {widest}: add what lacks, or take the case out."
        elif own is None and suites - {widest, "core", "smoke"}:
            advice = f"Such a case belongs to {widest!r}, perhaps to 'core', and to 'smoke' if it is its turn."
        else:
            continue
        yield Finding("balance.suites", case.id, "suites", f"suites {', '.join(case.suites) or 'none'}.", advice)


def _by_guideline(cases: Sequence[Case]) -> dict[str, list[Case]]:
    held: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        held[case.guideline].append(case)
    return held


def _listed(names: Iterable[str]) -> str:
    joined = ", ".join(names)
    return f": {joined}" if joined else ""
