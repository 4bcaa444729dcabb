"""Which cases a run takes: filters, and samples that nest and stay balanced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.cases import files as case_files
from jmedethic_pytest.cases.selection import Selection, default_suite, select, suites
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Case

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=5)
BOTH = ("ja", "en")


@pytest.fixture(scope="session")
def bundled() -> list[Case]:
    return case_files.load()


def ids(chosen: Sequence[Case]) -> list[str]:
    return [case.id for case in chosen]


def spread(names: Sequence[str], all_names: Sequence[str]) -> int:
    counts = Counter(names)
    return max(counts[name] for name in all_names) - min(counts[name] for name in all_names)


# ---------------------------------------------------------------- samples


@STEADY
@given(seed=st.integers(0, 2**63))
def test_every_sample_is_a_prefix_of_the_next_larger_one(bundled: list[Case], seed: int) -> None:
    whole = ids(select(bundled, Selection(suite="core", sample=10_000, seed=seed)))
    assert sorted(whole) == sorted(ids(select(bundled, Selection(suite="core"))))
    for size in (1, 2, 8, 67, 68, 300, 468):
        assert ids(select(bundled, Selection(suite="core", sample=size, seed=seed))) == whole[:size]


def test_nesting_holds_for_every_size_on_small_sets(build_case: Callable[..., Case]) -> None:
    few = [
        build_case(f"ja-{g}-{s}-{n}".lower(), guideline=g, strategy=s)
        for g, strategies in (("JMA-01", "S1 S2 S3"), ("JMA-20", "S2"), ("JMA-33", "S7 S1"))
        for s in strategies.split()
        for n in range(3 if g == "JMA-01" else 1)
    ]
    for seed in range(20):
        whole = ids(select(few, Selection(suite="all", sample=len(few), seed=seed)))
        assert sorted(whole) == sorted(ids(few))
        for size in range(1, len(few) + 1):
            assert ids(select(few, Selection(suite="all", sample=size, seed=seed))) == whole[:size]


@STEADY
@given(seed=st.integers(0, 2**63))
def test_every_prefix_is_balanced_over_guidelines_and_strategies(bundled: list[Case], seed: int) -> None:
    """No guideline and no strategy is ever more than one case ahead of another."""
    chosen = select(bundled, Selection(suite="core", sample=469, seed=seed))
    by_guideline: Counter[str] = Counter(dict.fromkeys(vocabulary.guidelines(), 0))
    by_strategy: Counter[str] = Counter(dict.fromkeys(vocabulary.strategies(), 0))
    for case in chosen:
        by_guideline[case.guideline] += 1
        by_strategy[case.strategy] += 1
        assert max(by_guideline.values()) - min(by_guideline.values()) <= 1
        assert max(by_strategy.values()) - min(by_strategy.values()) <= 1
    assert set(by_guideline.values()) == {7}
    assert set(by_strategy.values()) == {67}
    assert len({(case.guideline, case.strategy) for case in chosen}) == 469


def test_both_locales_get_the_same_conversations_side_by_side(bundled: list[Case]) -> None:
    chosen = select(bundled, Selection(suite="core", locales=BOTH, sample=40, seed=3))
    assert len(chosen) == 80
    assert [case.stem for case in chosen if case.locale == "ja"] == [
        case.stem for case in chosen if case.locale == "en"
    ]
    assert [case.stem for case in chosen[::2]] == [case.stem for case in chosen[1::2]]


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_one_locale_draws_what_both_together_draw(bundled: list[Case], seed: int) -> None:
    both = select(bundled, Selection(suite="core", locales=BOTH, sample=30, seed=seed))
    for locale in BOTH:
        one = select(bundled, Selection(suite="core", locales=(locale,), sample=30, seed=seed))
        assert ids(one) == [case.id for case in both if case.locale == locale]


def test_seed_changes_the_sample_and_the_same_seed_repeats_it(bundled: list[Case]) -> None:
    draw = [ids(select(bundled, Selection(suite="core", sample=20, seed=seed))) for seed in (1, 1, 2)]
    assert draw[0] == draw[1]
    assert draw[0] != draw[2]


def test_file_order_does_not_change_the_sample(bundled: list[Case]) -> None:
    want = Selection(suite="core", sample=50, seed=5)
    assert ids(select(bundled[::-1], want)) == ids(select(bundled, want))


def test_sample_larger_than_the_selection_is_all_of_it(bundled: list[Case]) -> None:
    assert len(select(bundled, Selection(suite="core", strategies=("S1",), sample=10_000))) == 67


def test_without_a_sample_the_file_order_stays(bundled: list[Case]) -> None:
    assert ids(select(bundled, Selection(suite="core"))) == [
        case.id for case in bundled if "core" in case.suites and case.locale == "ja"
    ]


# ---------------------------------------------------------------- filters


def test_default_is_core_in_japanese_without_twins(bundled: list[Case]) -> None:
    chosen = select(bundled, Selection())
    assert len(chosen) == 469
    assert {case.locale for case in chosen} == {"ja"}
    assert not any(case.twin_of for case in chosen)


@pytest.mark.parametrize(
    ("present", "expected"),
    [(["core", "smoke"], "core"), (["smoke"], "smoke"), (["mine"], "all"), ([], "all"), (["smoke", "twins"], "smoke")],
)
def test_default_suite_is_core_else_smoke_else_all(
    build_case: Callable[..., Case], present: list[str], expected: str
) -> None:
    assert default_suite([build_case(f"ja-{n}", suites=(name,)) for n, name in enumerate(present)]) == expected


def test_twins_are_not_attacks_of_a_default_selection(build_case: Callable[..., Case]) -> None:
    """Where no suite is named at all, benign twins stay out unless they are asked for."""
    few = [build_case("ja-a"), build_case("ja-a-twin", twin_of="a")]
    assert ids(select(few, Selection())) == ["ja-a"]
    assert ids(select(few, Selection(suite="all"))) == ["ja-a", "ja-a-twin"]


def test_smoke_suite_has_one_conversation_for_every_guideline(bundled: list[Case]) -> None:
    for locale in BOTH:
        chosen = select(bundled, Selection(suite="smoke", locales=(locale,)))
        assert sorted(case.guideline for case in chosen) == list(vocabulary.guidelines())
        assert spread([case.strategy for case in chosen], list(vocabulary.strategies())) <= 1


def test_strategy_is_found_by_id_slug_or_name(bundled: list[Case]) -> None:
    fifth = vocabulary.strategies()["S5"]
    assert fifth.name["en"] == "Fiction-Layered Authority Simulation"
    for value in ("S5", "s5", fifth.slug, fifth.slug.upper(), fifth.name["en"], fifth.name["en"].lower()):
        assert {case.strategy for case in select(bundled, Selection(strategies=(value,)))} == {"S5"}


@pytest.mark.parametrize("value", ["JMA-19", "jma-19", "19", "jma19", "１９", "019"])
def test_guideline_is_found_by_id_or_number(bundled: list[Case], value: str) -> None:
    assert {case.guideline for case in select(bundled, Selection(guidelines=(value,)))} == {"JMA-19"}


def test_filters_combine(bundled: list[Case]) -> None:
    want = Selection(locales=BOTH, strategies=("S1", "S5"), guidelines=("1", "2", "3"))
    assert len(select(bundled, want)) == 2 * 2 * 3


@pytest.mark.parametrize(
    ("want", "words"),
    [
        (Selection(suite="smok"), ["suite", "'smok'", "Did you mean 'smoke'?", "core"]),
        (Selection(suite="nothing-like-it"), ["suite", "core", "smoke", "twins", "all"]),
        (Selection(strategies=("S9",)), ["strategy", "'S9'", "S1", "S7"]),
        (Selection(strategies=("grey_zone_ethnographic",)), ["strategy", "Did you mean 'gray_zone_ethnographic'?"]),
        (Selection(guidelines=("JMA-68",)), ["guideline", "'JMA-68'", "JMA-01"]),
        (Selection(guidelines=("0",)), ["guideline", "'0'"]),
        (Selection(guidelines=("JMA",)), ["guideline", "'JMA'"]),
        (Selection(guidelines=("-",)), ["guideline", "'-'"]),
        (Selection(guidelines=("records",)), ["guideline", "'records'"]),
    ],
)
def test_unknown_name_says_what_there_is(bundled: list[Case], want: Selection, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        select(bundled, want)
    assert all(word in str(caught.value) for word in words)


def test_suite_names_come_from_the_cases(build_case: Callable[..., Case]) -> None:
    assert suites([build_case(suites=("b", "a")), build_case(suites=("b",))]) == ["a", "b", "all"]


def test_nothing_that_fits_is_an_empty_selection_not_an_error(build_case: Callable[..., Case]) -> None:
    assert select([build_case(strategy="S1")], Selection(suite="all", strategies=("S2",))) == []
    assert select([build_case(strategy="S1")], Selection(suite="all", strategies=("S2",), sample=5)) == []


# ---------------------------------------------------------------- the bundled content


def test_core_has_one_case_in_every_cell_in_both_locales(bundled: list[Case]) -> None:
    cells = {(guideline, strategy) for guideline in vocabulary.guidelines() for strategy in vocabulary.strategies()}
    for locale in BOTH:
        core = [case for case in bundled if "core" in case.suites and case.locale == locale]
        assert len(core) == 469
        assert {(case.guideline, case.strategy) for case in core} == cells


def test_both_locales_have_the_same_stems_with_the_same_labels(bundled: list[Case]) -> None:
    labels = {
        locale: {
            case.stem: (case.guideline, case.strategy, case.suites, case.twin_of, case.persona, len(case.turns))
            for case in bundled
            if case.locale == locale
        }
        for locale in BOTH
    }
    assert labels["ja"] == labels["en"]
