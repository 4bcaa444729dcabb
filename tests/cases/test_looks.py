"""What stands before a look is a small picture of the whole run, or the look is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from jmedethic_pytest.cases import looks
from jmedethic_pytest.cases.index import CaseIndex, Label
from jmedethic_pytest.cases.selection import Selection, select

LOOKS = (134, 268, 469)


@pytest.fixture(scope="module")
def bundled() -> list[Label]:
    return list(CaseIndex.read(()).labels.values())


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("suite", ["core", "core,twins"])
@pytest.mark.parametrize("locales", [("ja",), ("ja", "en")])
def test_looks_hold_all_that_the_run_holds(bundled: list[Label], suite: str, locales: tuple, seed: int) -> None:
    chosen = select(bundled, Selection(suite=suite, locales=locales))
    parts = looks.segments(chosen, LOOKS, seed)
    assert sorted(case.id for part in parts for case in part) == sorted(case.id for case in chosen)
    assert not list(looks.unlike(parts))
    seen: list[Label] = []
    for part, look in zip(parts, LOOKS, strict=True):
        seen += part
        attacks = [case for case in seen if not case.twin_of]
        assert len(attacks) == look * len(locales)
        assert set(Counter(case.locale for case in attacks).values()) == {look}
        assert set(Counter(case.guideline for case in attacks).values()) == {len(attacks) // 67}
        strategies = Counter(case.strategy for case in attacks).values()
        assert max(strategies) - min(strategies) <= len(locales)
        twins = len({case.stem for case in seen if case.twin_of})
        assert twins == (round(134 * look / 469) if "twins" in suite else 0)


def test_the_order_is_that_of_samples(bundled: list[Label]) -> None:
    """A run that was stopped at 134 holds the cases of ``--jmed-sample=134``."""
    whole = select(bundled, Selection())
    (first, _, _) = looks.segments(whole, LOOKS, 5)
    assert [case.id for case in first] == [case.id for case in select(bundled, Selection(sample=134, seed=5))]
    assert looks.segments(list(reversed(whole)), LOOKS, 5) == looks.segments(whole, LOOKS, 5)


@pytest.mark.parametrize(
    ("want", "declared", "problem"),
    [
        (Selection(suite="smoke"), (30, 67), "the first 30 cases hold 0 of guideline JMA-"),
        (Selection(suite="core,long"), (134, 603), "of length 3 (its share would be 104.2)"),
    ],
    ids=["guidelines", "lengths"],
)
def test_a_look_that_is_no_picture_of_the_whole_is_told(
    bundled: list[Label], want: Selection, declared: tuple, problem: str
) -> None:
    (line,) = looks.unlike(looks.segments(select(bundled, want), declared, 0))
    assert problem in line


def test_a_sample_may_have_looks_of_its_own(bundled: list[Label]) -> None:
    assert not list(looks.unlike(looks.segments(select(bundled, Selection(sample=268)), (134, 268), 0)))


def test_large_suites(bundled: list[Label]) -> None:
    """Sixty-seven guidelines, seven strategies, five of each: the size of the paper's."""
    core = select(bundled, Selection())
    many = [case._replace(id=f"{case.id}-{number}") for case in core for number in range(5)]
    assert not list(looks.unlike(looks.segments(many, (670, 1340, 2345), 0)))
