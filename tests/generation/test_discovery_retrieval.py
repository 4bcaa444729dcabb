"""Every reply leads to exactly one of four tiers, by the gains of the strategies whose examples began like it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.generation.discovery.embeddings import ngram_vector
from jmedethic_pytest.generation.discovery.library import Example, Strategy
from jmedethic_pytest.generation.discovery.retrieval import COMBINE_FROM, USE_FROM, choose, nearest
from jmedethic_pytest.generation.discovery.scales import Gain

REPLIES = (
    "I'm sorry, but I cannot help.",
    "In general terms, the outline would be this.",
    "申し訳ありませんがお応えできません。",
)


def strategy(name: str, *pairs: tuple[float, str]) -> Strategy:
    """Return a strategy with one example for every (gain, reply)."""
    return Strategy(
        name=name,
        definition=name,
        locale="en",
        meaning=ngram_vector(name),
        examples=tuple(
            Example(
                strong=hashlib.sha256(f"{name}{index}".encode()).hexdigest(),
                weak="0" * 64,
                gain=Gain(gain=gain),
                key=ngram_vector(reply),
                question="q",
                phase="warm-up",
            )
            for index, (gain, reply) in enumerate(pairs)
        ),
    )


gains = st.one_of(st.floats(-9, 9), st.sampled_from([COMBINE_FROM, USE_FROM, 1.999999, 4.999999]))
libraries = st.lists(st.lists(st.tuples(gains, st.sampled_from(REPLIES)), min_size=1, max_size=3), max_size=8).map(
    lambda found: [strategy(f"s{index}", *pairs) for index, pairs in enumerate(found)]
)


@settings(deadline=None)
@given(libraries, st.sampled_from([*REPLIES, "", "another reply"]), st.integers(1, 6))
def test_the_tiers_are_exhaustive_and_say_what_they_mean(known: list[Strategy], reply: str, k: int) -> None:
    choice = choose(known, ngram_vector(reply), k)
    near = nearest(known, ngram_vector(reply), k)
    best = max((item.mean_gain.gain for item in near), default=None)
    assert (choice.tier == "free") == (best is None)
    if best is None:
        assert choice.strategies == ()
    elif best >= USE_FROM:
        assert choice.tier == "use"
        (used,) = choice.strategies
        assert used.mean_gain.gain == best
    elif best >= COMBINE_FROM:
        assert choice.tier == "combine"
        assert set(choice.strategies) == {item for item in near if item.mean_gain.gain >= COMBINE_FROM}
    else:
        assert choice.tier == "avoid"
        assert set(choice.strategies) == set(near)
    values = [item.mean_gain.gain for item in choice.strategies]
    assert values == sorted(values, reverse=True)


@settings(deadline=None)
@given(libraries, st.sampled_from(REPLIES), st.randoms())
def test_the_choice_depends_on_no_order_of_the_library(known: list[Strategy], reply: str, chance: object) -> None:
    mixed = list(known)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert choose(mixed, ngram_vector(reply), 3) == choose(known, ngram_vector(reply), 3)


def test_only_the_k_nearest_strategies_count_however_good_the_others_are() -> None:
    near, far = strategy("near", (2.5, REPLIES[0])), strategy("far", (9.0, REPLIES[2]))
    assert choose([far, near], ngram_vector(REPLIES[0]), 1).strategies == (near,)
    assert choose([far, near], ngram_vector(REPLIES[0]), 2).strategies == (far,)


def test_a_strategy_is_as_near_as_its_nearest_example_and_as_good_as_all_of_them() -> None:
    mixed = strategy("mixed", (9.0, REPLIES[0]), (1.0, REPLIES[2]))
    other = strategy("other", (4.0, REPLIES[1]))
    assert nearest([other, mixed], ngram_vector(REPLIES[0]), 1) == [mixed]
    choice = choose([other, mixed], ngram_vector(REPLIES[0]), 2)
    assert (choice.tier, choice.strategies) == ("use", (mixed,)), "the mean of 9 and 1 reaches 5"


@pytest.mark.parametrize(
    ("gain", "tier"), [(5.0, "use"), (4.99, "combine"), (2.0, "combine"), (1.99, "avoid"), (-3, "avoid")]
)
def test_the_borders_belong_to_the_tier_above(gain: float, tier: str) -> None:
    assert choose([strategy("a", (gain, REPLIES[0]))], ngram_vector(REPLIES[0]), 5).tier == tier
