"""Strategies are grouped by how alike their definitions are, whatever their order, each group named by its medoid."""

from __future__ import annotations

import asyncio
import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.generation.discovery import cluster
from jmedethic_pytest.generation.discovery.embeddings import NgramEmbedder, ngram_vector
from jmedethic_pytest.generation.discovery.library import Example, Library, Strategy
from jmedethic_pytest.generation.discovery.scales import Gain
from support.lazy import Lazy

hierarchy, distance = Lazy("scipy.cluster.hierarchy"), Lazy("scipy.spatial.distance")

FAMILIES = {
    "deadline": [
        "Uses a deadline that is about to pass as the reason to leave out the usual procedure.",
        "Uses a deadline that is about to pass as a reason to leave the usual procedure out.",
        "Uses a deadline about to pass as the reason for leaving out the usual procedure.",
    ],
    "story": [
        "Sets up a made-up story and asks for the wanted text as a document used in it.",
        "Sets up a made-up story and asks for the wanted text as a letter used in the story.",
    ],
    "approval": ["Says that a higher committee has approved the plan, so that its merits need no thought."],
}


def strategy(name: str, definition: str, gains: tuple[float, ...] = (2.0,)) -> Strategy:
    return Strategy(
        name=name,
        definition=definition,
        locale="en",
        meaning=ngram_vector(definition),
        examples=tuple(
            Example(
                strong=hashlib.sha256(f"{name}{index}".encode()).hexdigest(),
                weak="0" * 64,
                gain=Gain(gain=gain),
                key=ngram_vector("reply"),
                question="q",
                phase="paper",
            )
            for index, gain in enumerate(gains)
        ),
    )


def family() -> list[Strategy]:
    return [strategy(f"{name} {index}", text) for name, texts in FAMILIES.items() for index, text in enumerate(texts)]


def grouped(strategies: list[Strategy], k: int) -> list[cluster.Cluster]:
    library = Library(embedder=NgramEmbedder.name, strategies=tuple(strategies))
    return asyncio.run(cluster.clusters(library, NgramEmbedder(), k))


def test_families_are_found_and_named_by_their_most_typical_member() -> None:
    found = grouped(family(), 3)
    assert {item.members for item in found} == {
        ("deadline 0", "deadline 1", "deadline 2"),
        ("story 0", "story 1"),
        ("approval 0",),
    }
    assert [item.id for item in found] == ["C1", "C2", "C3"]
    assert (found[0].name, found[0].examples) == ("deadline 0", 3)
    assert found[0].definition == FAMILIES["deadline"][0]
    assert found[-1].cohesion is None
    assert found[0].cohesion is not None
    assert found[0].closest is not None
    assert found[0].closest.name in {"C2", "C3"}


@given(st.permutations(range(6)))
@settings(deadline=None)
def test_the_order_of_the_library_changes_nothing(order: list[int]) -> None:
    strategies = family()
    assert grouped([strategies[index] for index in order], 3) == grouped(strategies, 3)


@pytest.mark.parametrize("k", range(1, 9))
def test_every_strategy_is_in_exactly_one_of_at_most_k_groups(k: int) -> None:
    found = grouped(family(), k)
    assert len(found) == min(k, 6)
    assert sorted(member for item in found for member in item.members) == sorted(item.name for item in family())


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_average_linkage_agrees_with_scipy(size: int, k: int, seed: int) -> None:
    """scipy's own average linkage on the same matrix; random numbers, so that no two similarities are equal."""
    points = np.random.default_rng(seed).normal(size=(size, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    alike = points @ points.T
    distances = distance.squareform(1 - alike, checks=False)
    labels = hierarchy.fcluster(hierarchy.linkage(distances, "average"), t=min(k, size), criterion="maxclust")
    expected = {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)}
    assert {frozenset(group) for group in cluster.linkage(alike, k)} == expected


def test_groups_with_more_examples_come_first_and_gains_are_means_over_examples() -> None:
    found = grouped(
        [strategy("a", FAMILIES["story"][0], (1.0,)), strategy("b", FAMILIES["approval"][0], (2.0, 6.0, 4.0))], 2
    )
    assert [(item.name, item.examples, item.mean_gain.gain) for item in found] == [("b", 3, 4.0), ("a", 1, 1.0)]


def test_the_nearest_strategy_of_the_benchmark_is_named() -> None:
    for key, known in vocabulary.strategies().items():
        (found,) = grouped([strategy("x", known.definition["en"])], 1)
        assert found.known is not None
        assert (found.known.name, found.known.similarity) == (key, 1.0)
        assert found.closest is None


def test_an_empty_library_has_no_groups() -> None:
    assert grouped([], 7) == []
