"""Where it regressed: a search over turns, strategies and languages, with p-values adjusted by Holm over all of them.

The gate has figures of its own for these, with margins; for other places see ``places``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.analysis.noninferiority.pairs import Figure, Flags, Pairs, each
from jmedethic_pytest.analysis.noninferiority.records import Regressed
from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.intervals import cluster_t, standard_error
from jmedethic_pytest.stats.multiplicity import holm
from jmedethic_pytest.stats.paired import sign_flip, standardised_difference
from jmedethic_pytest.stats.sample import Floats, Indices, constant, sample

LEVEL = 0.05
"""Adjusted p-value up to which a drop is listed."""
SEARCHES = 2
"""This one and that of ``places``: every p-value counts twice, so an unchanged run lists any name in at most 5 %."""
_EXACT = 16
"""Independent groups up to which all sign patterns are tried; above, the t distribution is close."""
Kind = Literal["turn", "strategy", "locale"]


class _Part(NamedTuple):
    kind: Kind
    key: str
    values: Floats
    groups: Indices
    """The guidelines of the values."""


def regressed(pairs: Pairs) -> tuple[Regressed, ...]:
    """Return what dropped significantly, by kind, the largest drop of each kind first."""
    attack = ~pairs.twin
    if not attack.any():
        return ()
    mean = pairs.mean()
    parts = [*_turns(pairs, attack), *_strategies(pairs, mean, attack), *_locales(pairs, mean, attack)]
    tests = [_drop(part) for part in parts]
    found = []
    for part, test, p in zip(parts, tests, holm([test.p for test in tests]), strict=True):
        if p is not None and p <= LEVEL / SEARCHES:
            adjusted = test.model_copy(update={"p_adjusted": p * SEARCHES, "adjustment": "Holm"})
            difference = cluster_t(part.values, part.groups).of_difference()
            found.append(Regressed(kind=part.kind, key=part.key, difference=difference, test=adjusted))
    order: dict[str, int] = {"turn": 0, "strategy": 1, "locale": 2}
    return tuple(sorted(found, key=lambda item: (order[item.kind], item.difference.value or 0.0)))


def _turns(pairs: Pairs, attack: Flags) -> Iterator[_Part]:
    for index in range(pairs.length):
        yield _part("turn", f"T{index}", pairs.turn(index), attack[pairs.alike[:, index]])


def _strategies(pairs: Pairs, mean: Figure, attack: Flags) -> Iterator[_Part]:
    locales = list(each(pairs.locale))
    for strategy, under in each(pairs.strategy):
        for locale, spoken in locales:
            key = f"{strategy} ({locale})" if len(locales) > 1 else strategy
            yield _part("strategy", key, mean, attack & under & spoken)


def _locales(pairs: Pairs, mean: Figure, attack: Flags) -> Iterator[_Part]:
    found = list(each(pairs.locale))
    if len(found) > 1:
        for locale, spoken in found:
            yield _part("locale", locale, mean, attack & spoken)


def _part(kind: Kind, key: str, figure: Figure, chosen: Flags) -> _Part:
    part = figure.where(chosen)
    return _Part(kind, key, part.difference, part.guideline)


def _drop(part: _Part) -> Test:
    """Test one-sided for a drop: exactly by sign flips where there are few groups or no spread, else by t."""
    data = sample(part.values, part.groups)
    effects = {
        "mean": float(data.values.mean()) if data.n else None,
        "d_z": standardised_difference(data.values),
    }
    if data.clusters <= _EXACT or constant(data.values):
        return sign_flip(part.values, part.groups).model_copy(update={"effects": effects})
    error = standard_error(data)
    if error <= 0:
        return Test(name="cluster t, one-sided", statistic=None, p=None, n=data.n, reason="nothing varies")
    statistic = float(data.values.mean()) / error
    p = float(special.stdtr(data.clusters - 1, statistic))
    return Test(name="cluster t, one-sided", statistic=statistic, p=p, n=data.n, effects=effects)
