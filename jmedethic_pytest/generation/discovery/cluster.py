"""From many strategies to a few: average linkage over the similarity of definitions, each group named by its medoid.

The result depends on the library alone, not on the order of its strategies: they are sorted by name first, and of
equally similar groups the first ones are joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Record, Text
from jmedethic_pytest.generation.discovery.embeddings import Embedder, cosines, matrix
from jmedethic_pytest.generation.discovery.library import Library, Strategy, normal_name
from jmedethic_pytest.generation.discovery.scales import Gain, mean_gain
from jmedethic_pytest.generation.machinery.records import Output


class Nearest(Record):
    """The nearest other thing, and how near: 1 says the same, 0 has nothing in common."""

    name: str
    similarity: float


class Cluster(Output):
    """A group of strategies that say nearly the same. Ids are ``C1``, ``C2``, ...: most examples first."""

    name: Text
    """Name of the medoid, the member that is most like all the others."""
    definition: Text
    locale: Locale
    members: tuple[Text, ...]
    """Names of all members, the medoid first."""
    examples: int
    mean_gain: Gain
    cohesion: float | None = None
    """Mean similarity of the other members with the medoid; ``None`` for a group of one."""
    closest: Nearest | None = None
    """The group whose medoid is most like this one's: a candidate for a merge."""
    known: Nearest | None = None
    """The strategy of the benchmark that the definition is most like."""

    def texts(self) -> Iterator[str]:
        """Yield names and definition."""
        yield from self.members
        yield self.definition


async def clusters(library: Library, embedder: Embedder, k: int) -> list[Cluster]:
    """Group the strategies of a library; fewer than ``k`` groups only if it has fewer strategies.

    Args:
        library: what was found.
        embedder: the one the library was made with, to compare with the benchmark's own strategies.
        k: number of groups.
    """
    strategies = sorted(library.strategies, key=lambda item: normal_name(item.name))
    if not strategies:
        return []
    vectors = matrix([item.meaning for item in strategies])
    similarities = cosines(vectors, vectors)
    groups = [_medoid_first(similarities, group) for group in linkage(similarities, k)]
    groups.sort(key=lambda group: _rank([strategies[index] for index in group]))
    medoids = [group[0] for group in groups]
    known = await _known([strategies[index] for index in medoids], embedder)
    found = [
        _cluster(number, [strategies[index] for index in group], similarities[np.ix_(group, group)])
        for number, group in enumerate(groups, start=1)
    ]
    between = similarities[np.ix_(medoids, medoids)]
    return [
        cluster.model_copy(update={"closest": _closest(found, between, index), "known": known[index]})
        for index, cluster in enumerate(found)
    ]


def linkage(similarities: NDArray[np.float64], k: int) -> list[list[int]]:
    """Return at most ``k`` groups of indices by average linkage.

    The two groups whose members are most alike on average are joined until ``k`` are left.

    Args:
        similarities: symmetric matrix of similarities.
        k: number of groups, at least 1.
    """
    groups: list[list[int] | None] = [[index] for index in range(len(similarities))]
    sums = similarities.astype(np.float64, copy=True)  # of the similarities of all pairs between two groups
    sizes = np.ones(len(similarities))
    means = np.where(np.triu(np.ones_like(sums), 1) > 0, sums, -np.inf)
    for _ in range(len(similarities) - k):
        first, second = (int(place) for place in np.unravel_index(int(np.argmax(means)), means.shape))
        joined, gone = groups[first], groups[second]
        assert joined is not None
        assert gone is not None
        groups[first], groups[second] = joined + gone, None
        sums[first] += sums[second]
        sums[:, first] += sums[:, second]
        sizes[first] += sizes[second]
        means[second, :] = means[:, second] = -np.inf
        for other, members in enumerate(groups):
            if members is not None and other != first:
                low, high = min(first, other), max(first, other)
                means[low, high] = sums[low, high] / (sizes[low] * sizes[high])
    return [sorted(group) for group in groups if group is not None]


def _medoid_first(similarities: NDArray[np.float64], group: list[int]) -> list[int]:
    """Return the group with the member first that is most like all of them; the first by name of equal ones."""
    totals = np.round(similarities[np.ix_(group, group)].sum(axis=1), 9)
    medoid = group[int(np.argmax(totals))]
    return [medoid, *(index for index in group if index != medoid)]


def _rank(members: Sequence[Strategy]) -> tuple[int, str]:
    return -sum(len(item.examples) for item in members), normal_name(members[0].name)


def _cluster(number: int, members: Sequence[Strategy], similarities: NDArray[np.float64]) -> Cluster:
    medoid = members[0]
    gain = mean_gain([example.gain for member in members for example in member.examples])
    assert gain is not None, "a strategy has an example"
    return Cluster(
        id=f"C{number}",
        name=medoid.name,
        definition=medoid.definition,
        locale=medoid.locale,
        members=tuple(member.name for member in members),
        examples=sum(len(member.examples) for member in members),
        mean_gain=gain,
        cohesion=round(float(similarities[0, 1:].mean()), 4) if len(members) > 1 else None,
    )


def _closest(found: Sequence[Cluster], medoids: NDArray[np.float64], index: int) -> Nearest | None:
    others = [other for other in range(len(found)) if other != index]
    if not others:
        return None
    best = max(others, key=lambda other: (round(float(medoids[index, other]), 9), -other))
    return Nearest(name=found[best].id, similarity=round(float(medoids[index, best]), 4))


async def _known(medoids: Sequence[Strategy], embedder: Embedder) -> list[Nearest]:
    """Return for each strategy the one of the benchmark that is most alike; their vectors are made here."""
    known = vocabulary.strategies()
    found = []
    for medoid in medoids:
        vectors = await embedder.embed([item.definition[medoid.locale] for item in known.values()])
        values = np.round(cosines(matrix([medoid.meaning]), matrix(vectors))[0], 9)
        best = int(np.argmax(values))
        found.append(Nearest(name=list(known)[best], similarity=round(float(values[best]), 4)))
    return found
