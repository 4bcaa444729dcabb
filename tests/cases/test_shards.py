"""Every case is in one shard, whatever the order of the files; each shard is a small picture of the whole run."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.cases import shards
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cases.selection import Selection, select
from jmedethic_pytest.core.records import Case


def case(stem: str, locale: str, guideline: int, strategy: int, twin_of: str | None = None) -> Case:
    return Case(
        id=f"{locale}-{stem}",
        locale=locale,
        guideline=f"JMA-{guideline:02d}",
        strategy=f"S{strategy}",
        turns=("a", "b", "c"),
        twin_of=twin_of,
    )


@st.composite
def selections(draw: st.DrawFn) -> list[Case]:
    """Cases in one language or both, some with a twin, in any order."""
    found = []
    for number in range(draw(st.integers(1, 60))):
        stem, place = f"case{number:03d}", (draw(st.integers(1, 9)), draw(st.integers(1, 7)))
        for locale in draw(st.sampled_from([("ja",), ("en",), ("ja", "en")])):
            found.append(case(stem, locale, *place))
        if draw(st.booleans()):
            found.append(case(f"{stem}t", "ja", *place, twin_of=stem))
    return draw(st.permutations(found))


@settings(max_examples=60)
@given(selections(), st.integers(1, 9))
def test_each_case_is_in_one_shard_with_what_belongs_to_it(cases: list[Case], count: int) -> None:
    found = shards.assign(cases, count)
    assert found.keys() == {case.id for case in cases}
    assert found == shards.assign(sorted(cases, key=lambda case: case.id), count)
    together: dict[str, set[int]] = defaultdict(set)
    for item in cases:
        together[item.twin_of or item.stem].add(found[item.id])
    assert all(len(parts) == 1 for parts in together.values())
    assert shards.families(cases) == len(together)
    sizes = Counter(dict.fromkeys(range(count), 0))
    sizes.update(part for parts in together.values() for part in parts)
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for guideline in {item.guideline for item in cases}:
        of_it = {item.twin_of or item.stem: found[item.id] for item in cases if item.guideline == guideline}
        counts = [list(of_it.values()).count(part) for part in range(count)]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("count", [2, 7, 16, 67])
def test_bundled_cases_are_spread_over_strategies_and_guidelines(count: int) -> None:
    chosen = select(list(CaseIndex.read(()).labels.values()), Selection(suite="core,twins", locales=("ja", "en")))
    parts = shards.assign(chosen, count)
    for name, most in (("strategy", 4), ("guideline", 1)):
        attacks = {case.stem: case for case in chosen if not case.twin_of}.values()
        held = Counter((getattr(case, name), parts[f"ja-{case.stem}"]) for case in attacks)
        for kind in {getattr(case, name) for case in attacks}:
            counts = [held[kind, part] for part in range(count)]
            assert max(counts) - min(counts) <= most, (name, kind, counts)
    twins = Counter(parts[case.id] for case in chosen if case.twin_of)
    assert max(twins.values()) - min(twins[part] for part in range(count)) <= 8
