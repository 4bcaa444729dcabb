"""Which conversations people score: drawn by band of the panel's lowest score, so that rare jailbreaks are in it.

The design in numbers, for 100 conversations: 25 with a lowest score of at most 2, 20 above 2 up to 4, 15 up to 6, 20 up
to 8.5, 20 above. Places that a band cannot fill go to the band above 2 up to 4, then to the largest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jmedethic_pytest.annotation.study import Band, Item, Place, Shown, row_id
from jmedethic_pytest.core.scores import BEST, WORST
from jmedethic_pytest.stats import bands as strata

SHARES = (25, 20, 15, 20, 20)
"""Places of each band in a sample of 100."""
_SECOND = 1
"""The band that gets places first which another cannot fill: its replies are the hardest to judge."""
LEAST = 10
"""Conversations of the smallest sample: with fewer a band would have no place."""


class Candidate(NamedTuple):
    """A conversation that may be drawn."""

    key: str
    lowest: float
    """The panel's lowest score of its turns."""
    guideline: str
    strategy: str
    locale: str


def places(populations: Sequence[int], n: int) -> list[int]:
    """Return how many conversations each band gives to a sample.

    Args:
        populations: conversations of each band.
        n: conversations of the sample; all of them if there are no more.
    """
    wanted = _apportioned(n)
    given = [min(want, there) for want, there in zip(wanted, populations, strict=True)]
    largest = sorted(range(len(given)), key=lambda band: -populations[band])
    for band in (_SECOND, *largest):
        given[band] += min(n - sum(given), populations[band] - given[band])
    return given


def _apportioned(n: int) -> list[int]:
    """Share n places out by :data:`SHARES`, the largest remainders first."""
    exact = [n * share / sum(SHARES) for share in SHARES]
    found = [int(value) for value in exact]
    by_rest = sorted(range(len(exact)), key=lambda band: found[band] - exact[band])
    for band in by_rest[: n - sum(found)]:
        found[band] += 1
    return found


class Drawn(NamedTuple):
    """A sample, and the whole that it was drawn from."""

    bands: tuple[Band, ...]
    frame: dict[str, int]
    """The band of every conversation, by evaluation."""
    keys: list[str]
    """The sample."""


def draw(candidates: Sequence[Candidate], n: int, seed: int) -> Drawn:
    """Draw a sample: in each band one conversation of a guideline before a second, then strategies, then languages.

    Args:
        candidates: all conversations that people could be asked about.
        n: how many to draw.
        seed: start of the random numbers; the same seed draws the same ones.
    """
    ordered = sorted(candidates)
    members: list[list[Candidate]] = [[] for _ in range(strata.BANDS)]
    for item, band in zip(ordered, strata.band([item.lowest for item in ordered]), strict=True):
        members[band].append(item)
    given = places([len(inside) for inside in members], n)
    drawn: list[str] = []
    for band, (inside, count) in enumerate(zip(members, given, strict=True)):
        if count:
            labels = [[item.guideline for item in inside], [item.strategy for item in inside]]
            chosen = strata.spread([*labels, [item.locale for item in inside]], count, seed + band)
            drawn += [inside[at].key for at in chosen]
    frame = {item.key: band for band, inside in enumerate(members) for item in inside}
    ends = (WORST, *strata.EDGES, BEST)
    limits = zip(ends[:-1], ends[1:], map(len, members), given, strict=True)
    bands = tuple(Band(low=a, high=b, population=all_, sampled=some) for a, b, all_, some in limits)
    return Drawn(bands, frame, drawn)


def draw_at_random(candidates: Sequence[Candidate], n: int, seed: int) -> Drawn:
    """Draw a sample in which every conversation has the same chance, whatever the panel said; arguments as above."""
    keys = sorted(item.key for item in candidates)
    drawn = random.Random(f"{seed}/random").sample(keys, min(n, len(keys)))  # noqa: S311 - a design
    band = Band(low=WORST, high=BEST, population=len(keys), sampled=len(drawn))
    return Drawn((band,), dict.fromkeys(keys, 0), drawn)


def repeated(keys: Sequence[str], count: int, seed: int) -> list[str]:
    """Choose the conversations that every person is shown twice."""
    return random.Random(f"{seed}/repeated").sample(sorted(keys), min(count, len(keys)))  # noqa: S311 - a design


def order(study: str, annotator: str, keys: Sequence[str], twice: Sequence[str], seed: int) -> tuple[Place, ...]:
    """Return the rows of one person's sheet, in an order of their own.

    What is shown twice stands in the first third of the sheet and again in the last one.
    """
    chance = random.Random(f"{seed}/{annotator}")  # noqa: S311 - a design, no secret
    others = [key for key in sorted(keys) if key not in set(twice)]
    chance.shuffle(others)
    third = (len(others) + 2 * len(twice)) // 3
    early = max(0, third - len(twice))
    begin = [(key, False) for key in (*twice, *others[:early])]
    end = [(key, True) for key in twice] + [(key, False) for key in others[len(others) - early :] if early]
    middle = [(key, False) for key in others[early : max(early, len(others) - early)]]
    for part in (begin, end):
        chance.shuffle(part)
    return tuple(
        Place(id=row_id(study, annotator, key, again=again), key=key, again=again)
        for key, again in (*begin, *middle, *end)
    )


def items(drawn: Drawn, candidates: Sequence[Candidate], texts: Mapping[str, Shown]) -> tuple[Item, ...]:
    """Return the drawn conversations as the key holds them."""
    by_key = {item.key: item for item in candidates}
    return tuple(
        Item(
            key=key,
            band=drawn.frame[key],
            guideline=by_key[key].guideline,
            strategy=by_key[key].strategy,
            locale=texts[key].locale,
            turns=len(texts[key].turns),
            digest=texts[key].digest(),
        )
        for key in drawn.keys
    )
