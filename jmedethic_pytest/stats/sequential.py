"""Looks at a run before its end: how an error rate is spent over them, and what that leaves for each.

Who looks three times at the same level errs more often than the level says. So a rate is *spent*: up to an information
fraction t of the whole, ``alpha (1 - exp(-gamma t)) / (1 - exp(-gamma))`` of it (Hwang, Shih & DeCani 1990, as the
spending function of Lan & DeMets 1983). A negative gamma saves most of it for the end. The *nominal* level of a look is
the one at which a single test has to be made there; an interval at nominal levels is a repeated confidence interval,
which holds at all looks together (Jennison & Turnbull 1989).

What the looks see is normal with independent increments, as a mean is of which each look holds the cases of the one
before. The boundaries follow by recursive integration (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000,
chapter 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from jmedethic_pytest.stats.sample import Floats

TO_PASS, TO_FAIL = -4.0, -2.0
"""Gamma of what is spent on passing, and on failing: passing early takes more."""
_FAR = 9.0
"""Standard errors beyond which nothing lies."""
_PANELS, _NODES = 24, 16
"""Between there and a boundary, and nodes of Gauss and Legendre in each: the levels are exact to eight digits."""
_HALVINGS = 60


@lru_cache(maxsize=256)
def nominal(alpha: float, fractions: tuple[float, ...], gamma: float) -> tuple[float, ...]:
    """Return the one-sided nominal level of every look.

    With a single look at the end that is ``alpha`` itself.

    Args:
        alpha: one-sided error rate of all looks together.
        fractions: information at each look as a share of the whole, increasing, at most 1.
        gamma: how it is spent.

    Raises:
        ValueError: if the fractions do not increase, or lie outside of 0 to 1.
    """
    spent = tuple(alpha * (math.expm1(-gamma * fraction) / math.expm1(-gamma)) for fraction in fractions)
    return levels(spent, fractions)


def levels(spent: Sequence[float], fractions: Sequence[float]) -> tuple[float, ...]:
    """Return the one-sided nominal level of every look, whatever the spending.

    Args:
        spent: error rate that may be spent up to each look, increasing.
        fractions: information at each look as a share of the whole, increasing, at most 1.

    Raises:
        ValueError: if the fractions do not increase, or lie outside of 0 to 1.
    """
    if not fractions or fractions[0] <= 0 or fractions[-1] > 1 or any(np.diff(fractions) <= 0):
        raise ValueError(f"information fractions increase, above 0 and up to 1, got {list(fractions)}")
    found = [spent[0]]
    places, masses = _grid(-float(special.ndtri(spent[0])))
    masses = masses * _density(places)
    for before, now, share in zip(fractions, fractions[1:], np.diff(spent), strict=False):
        step = math.sqrt(now - before)
        boundary = _boundary(math.sqrt(before) * places / step, masses, math.sqrt(now) / step, float(share))
        found.append(float(special.ndtr(-boundary)))
        onward, widths = _grid(boundary)
        moved = (math.sqrt(now) * onward[:, None] - math.sqrt(before) * places) / step
        places, masses = onward, widths * (_density(moved) @ masses) * math.sqrt(now) / step
    return tuple(found)


def _boundary(means: Floats, masses: Floats, scale: float, share: float) -> float:
    """Return where the statistic of a look has a chance of ``share`` to lie above, not having crossed before."""
    low, high = -_FAR, _FAR
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = float(special.ndtr(means - scale * middle) @ masses)
        low, high = (middle, high) if beyond > share else (low, middle)
    return (low + high) / 2


def _grid(boundary: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of an integral over all that lies below a boundary."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = (boundary + _FAR) / _PANELS / 2
    middles = half * (2 * np.arange(_PANELS) + 1) - _FAR
    return (middles[:, None] + half * nodes).reshape(-1), np.tile(half * weights, _PANELS)


def _density(values: Floats) -> Floats:
    return np.asarray(np.exp(-(values**2) / 2) / math.sqrt(2 * math.pi))
