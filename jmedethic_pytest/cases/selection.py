"""Choosing the cases of a run: filters, and nested stratified sampling.

A sample of N is a prefix of the sample of N+1 with the same seed, so a pull-request run is a part of the nightly run.
Any prefix touches the strategies evenly, and as many guidelines as it can.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.labels import Labelled
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary

L = TypeVar("L", bound=Labelled)


class Selection(BaseModel):
    """What was asked for; stored with the run, and part of what makes two runs comparable."""

    model_config = ConfigDict(frozen=True)

    pack: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    """The pack the cases are of; ``None`` of the bundled ones, and of cases of one's own."""
    suite: str | None = None
    """``None``: ``core``, else ``smoke``, else every case that is no twin."""
    locales: tuple[str, ...] = ("ja",)
    strategies: tuple[str, ...] = ()
    guidelines: tuple[str, ...] = ()
    sample: int | None = None
    """Conversations per locale; the same ones in each locale."""
    seed: int = 0
    turns: int | None = None
    """Only the first so many user turns (1: the single-turn baseline)."""


def select(cases: Sequence[L], want: Selection, vocabulary: Vocabulary = SHIPPED) -> list[L]:
    """Return the chosen cases; in file order, or in sampling order if a sample is asked for.

    Raises:
        ConfigError: for a suite, strategy or guideline that does not exist.
    """
    suites_wanted = {name.strip() for name in (want.suite or default_suite(cases)).split(",")}
    attacks_only = want.suite is None  # Twins are benign: they are run when they are asked for.
    strategies = [_strategy(value, vocabulary) for value in want.strategies]
    guidelines = [_guideline(value, vocabulary) for value in want.guidelines]
    chosen = [
        case
        for case in cases
        if case.locale in want.locales
        and not (attacks_only and case.twin_of)
        and ("all" in suites_wanted or suites_wanted & set(case.suites))
        and (not strategies or case.strategy in strategies)
        and (not guidelines or case.guideline in guidelines)
    ]
    known = suites(cases)
    missing = sorted(suites_wanted - set(known))
    if missing:
        raise ConfigError([unknown("suite", name, known) for name in missing])
    return _sample(chosen, want.sample, want.seed) if want.sample is not None else chosen


def suites(cases: Iterable[Labelled]) -> list[str]:
    """Return the names of all suites found in the cases, and ``all``."""
    return [*sorted({suite for case in cases for suite in case.suites}), "all"]


def default_suite(cases: Sequence[Labelled]) -> str:
    """Return ``core`` if there is one, else ``smoke``, else ``all``."""
    present = set(suites(cases))
    return next(name for name in ("core", "smoke", "all") if name in present)


def _strategy(value: str, vocabulary: Vocabulary) -> str:
    known = vocabulary.strategies
    aliases = {key.lower(): item.id for item in known.values() for key in (item.id, item.slug, item.name["en"])}
    if value.lower() not in aliases:
        raise ConfigError(unknown("strategy", value, [*known, *(item.slug for item in known.values())]))
    return aliases[value.lower()]


def _guideline(value: str, vocabulary: Vocabulary) -> str:
    known = vocabulary.guidelines
    number = value.upper().removeprefix("JMA").lstrip("-")
    wanted = f"JMA-{int(number):02d}" if number.isdecimal() else value.upper()
    wanted = wanted if wanted in known else value.lower()
    if wanted not in known:
        raise ConfigError(unknown("guideline", value, list(known)))
    return wanted


def _sample(cases: Sequence[L], size: int, seed: int) -> list[L]:
    by_stem: dict[str, list[L]] = defaultdict(list)
    for case in cases:
        by_stem[case.stem].append(case)
    order = islice(stratified_order([members[0] for members in by_stem.values()], seed), size)
    return [case for stem in order for case in by_stem[stem]]


def stratified_order(cases: Sequence[Labelled], seed: int) -> Iterator[str]:
    """Yield all stems so that every prefix is balanced over strategies and guidelines.

    Each step takes the strategy that was taken least so far, and within it the guideline that was taken least so far;
    ties and the order within a cell are settled by a hash of seed and name.
    """
    cells: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        cells[case.strategy][case.guideline].append(case.stem)
    for cell in (stems for row in cells.values() for stems in row.values()):
        cell.sort(key=lambda stem: _rank(seed, stem), reverse=True)
    ranks = {name: _rank(seed, name) for name in [*cells, *(name for row in cells.values() for name in row)]}
    taken: Counter[str] = Counter()
    while cells:
        strategy = min(cells, key=lambda name: (taken[name], ranks[name]))
        row = cells[strategy]
        guideline = min(row, key=lambda name: (taken[name], ranks[name]))
        yield row[guideline].pop()
        taken.update((strategy, guideline))
        if not row[guideline]:
            del row[guideline]
        if not row:
            del cells[strategy]


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
