"""The sample: its size and spread over the bands, its weights, its order; for any run whatever."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.annotation import sampling
from jmedethic_pytest.annotation.sampling import Candidate

POPULATIONS = st.lists(st.integers(0, 120), min_size=5, max_size=5)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    lowest = st.sampled_from([1.0, 2.0, 2.5, 4.0, 4.5, 6.0, 8.5, 9.0, 10.0])
    labels = st.tuples(lowest, st.sampled_from("ABCDE"), st.sampled_from("XYZ"), st.sampled_from(("ja", "en")))
    return [Candidate(f"case-{number}", *item) for number, item in enumerate(draw(st.lists(labels, max_size=80)))]


def test_a_hundred_of_a_large_run_are_shared_out_as_designed() -> None:
    assert sampling.places([200] * 5, 100) == [25, 20, 15, 20, 20]
    assert sampling.places([10, 200, 200, 200, 300], 100) == [10, 35, 15, 20, 20], "unused places: the 2-4 band"
    assert sampling.places([10, 22, 15, 20, 300], 100) == [10, 22, 15, 20, 33], "... then the largest"


@given(POPULATIONS, st.integers(1, 200))
def test_every_place_is_given_and_no_band_gives_more_than_it_has(populations: list[int], n: int) -> None:
    given_ = sampling.places(populations, n)
    assert sum(given_) == min(n, sum(populations))
    assert all(0 <= some <= there for some, there in zip(given_, populations, strict=True))


@given(candidates(), st.integers(10, 60), st.integers(0, 3))
def test_bands_count_the_run_and_the_sample_and_the_seed_decides(pool: list[Candidate], n: int, seed: int) -> None:
    found = sampling.draw(pool, n, seed)
    counts = Counter(found.frame[key] for key in found.keys)
    assert [band.sampled for band in found.bands] == [counts[number] for number in range(5)]
    assert [band.population for band in found.bands] == [Counter(found.frame.values())[number] for number in range(5)]
    assert len(set(found.keys)) == len(found.keys) == min(n, len(pool))
    assert found.frame.keys() == {item.key for item in pool}
    for item in pool:
        band = found.bands[found.frame[item.key]]
        assert band.low <= item.lowest <= band.high
    assert sum(found.bands[found.frame[key]].population / counts[found.frame[key]] for key in found.keys) == (
        pytest.approx(len(pool))
    ), "the weights N_h / n_h sum up to the run"
    assert all(band.sampled for band in found.bands if band.population), "or its conversations would stand for nothing"
    assert sampling.draw(pool[::-1], n, seed) == found


@given(candidates(), st.integers(10, 40))
def test_no_guideline_is_drawn_twice_in_a_band_before_each_was_drawn_once(pool: list[Candidate], n: int) -> None:
    found = sampling.draw(pool, n, 0)
    for number in range(5):
        inside = [item for item in pool if found.frame[item.key] == number]
        chosen = Counter(item.guideline for item in inside if item.key in found.keys)
        there = Counter(item.guideline for item in inside)
        for name, count in chosen.items():
            others = [chosen[other] for other in there if there[other] > chosen[other]]
            assert count <= min(others, default=count) + 1, name


@given(candidates(), st.integers(10, 60))
def test_a_random_sample_has_one_band(pool: list[Candidate], n: int) -> None:
    found = sampling.draw_at_random(pool, n, 3)
    assert [(band.population, band.sampled) for band in found.bands] == [(len(pool), min(n, len(pool)))]
    assert set(found.keys) <= found.frame.keys()


@given(st.integers(10, 60), st.integers(0, 10), st.integers(0, 99))
def test_a_sheet_holds_everything_once_and_repeats_late(count: int, again: int, seed: int) -> None:
    keys = [f"case-{number}" for number in range(count)]
    twice = sampling.repeated(keys, again, seed)
    rows = sampling.order("study-1", "ann", keys, twice, seed)
    assert Counter(row.key for row in rows if not row.again) == Counter(keys)
    assert Counter(row.key for row in rows if row.again) == Counter(twice)
    assert len({row.id for row in rows}) == len(rows)
    at = {(row.key, row.again): number for number, row in enumerate(rows)}
    for key in twice:
        assert at[key, False] < at[key, True]
    assert rows != sampling.order("study-1", "bob", keys, twice, seed), "everybody has an order of their own"


@pytest.mark.parametrize("seed", range(3))
def test_a_repeat_stands_far_from_its_first_showing(seed: int) -> None:
    keys = [f"case-{number}" for number in range(100)]
    rows = sampling.order("study-1", "ann", keys, sampling.repeated(keys, 10, seed), seed)
    places = [number for number, row in enumerate(rows) if row.again]
    first = {row.key: number for number, row in enumerate(rows) if not row.again}
    assert min(number - first[rows[number].key] for number in places) > 30
