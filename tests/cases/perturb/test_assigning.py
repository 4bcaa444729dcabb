"""Which kinds there are to choose from, and which conversation gets which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.perturb import kinds
from jmedethic_pytest.cases.perturb.assigning import assign
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Case


def test_kinds_are_balanced_over_strategies_and_guidelines() -> None:
    cases = [case for case in case_files.load() if case.locale == "ja" and "core" in case.suites]
    names = ("typos", "politeness", "width")
    found = assign(cases, names, seed=0)
    assert found == assign(reversed(cases), names, seed=0)
    assert found != assign(cases, names, seed=1)
    assert len(found) == len(cases)
    for least, group in ((20, "strategy"), (1, "guideline")):
        counts = Counter((getattr(case, group), found[case.id, 0]) for case in cases)
        assert len(counts) == 3 * len({getattr(case, group) for case in cases})
        assert min(counts.values()) >= least
        assert max(counts.values()) - min(counts.values()) <= 3
    total = Counter(found.values())
    assert max(total.values()) - min(total.values()) <= 3


def test_repetitions_of_a_conversation_take_turns(build_case: Callable[..., Case]) -> None:
    cases = [build_case(f"ja-c{number}") for number in range(6)]
    twin = build_case("ja-twin", twin_of="c1")
    found = assign([*cases, twin], ("typos", "width"), seed=0, repeats=2)
    assert {frozenset(found[case.id, repeat] for repeat in (0, 1)) for case in cases} == {frozenset({"typos", "width"})}
    assert not any(case_id == twin.id for case_id, _ in found)


def test_all_means_those_of_the_languages() -> None:
    assert kinds.chosen(["all"], ("en",), "--perturb") == kinds.of("en")
    assert set(kinds.chosen(["all"], ("ja", "en"), "--perturb")) == set(kinds.KINDS)
    assert kinds.chosen(["width", "typos", "typos"], ("ja",), "--perturb") == ("typos", "width")
    assert kinds.chosen([], ("ja",), "--perturb") == ()


@pytest.mark.parametrize(
    ("names", "locales", "told"),
    [
        (["typo"], ("ja",), "typos"),
        (["case"], ("ja",), "does not exist in ja: it is a kind of en"),
        (["politeness"], ("ja", "en"), "exists in 'en'. Add one of: typos"),
    ],
)
def test_a_kind_that_nobody_can_make_is_refused(names: list[str], locales: tuple, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        kinds.chosen(names, locales, "--perturb")
