"""Looks at a run before its end: nominal levels against published ones, and against the normal law itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmedethic_pytest.stats.sequential import TO_FAIL, TO_PASS, levels, nominal
from support.lazy import Lazy

stats, special = Lazy("scipy.stats"), Lazy("scipy.special")
STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=15)
LOOKS = (134 / 469, 268 / 469, 1.0)
THIRDS = (1 / 3, 2 / 3, 1.0)


def boundaries(found: tuple[float, ...]) -> list[float]:
    return [-float(special.ndtri(level)) for level in found]


def obrien_fleming(fractions: tuple[float, ...]) -> list[float]:
    """Return what is spent at 2.5 % in the manner of O'Brien & Fleming (Lan & DeMets 1983)."""
    return [2 * (1 - float(special.ndtr(-special.ndtri(0.0125) / math.sqrt(share)))) for share in fractions]


def crossed(found: tuple[float, ...], fractions: tuple[float, ...]) -> float:
    """Return how likely any boundary is crossed by chance, by the multivariate normal distribution."""
    correlations = [[math.sqrt(min(one, two) / max(one, two)) for one in fractions] for two in fractions]
    whole = stats.multivariate_normal(mean=np.zeros(len(found)), cov=correlations, seed=0)
    return 1 - float(whole.cdf(boundaries(found)))


def test_levels_are_those_of_published_programs() -> None:
    """gsDesign's defaults: Hwang, Shih & DeCani with gamma -4, and O'Brien & Fleming's manner, at thirds."""
    assert boundaries(nominal(0.025, THIRDS, TO_PASS)) == pytest.approx([3.0107, 2.5465, 1.9992], abs=5e-5)
    assert boundaries(levels(obrien_fleming(THIRDS), THIRDS)) == pytest.approx([3.7103, 2.5114, 1.9930], abs=5e-5)


@pytest.mark.parametrize(
    ("found", "golden"),
    [
        (nominal(0.025, LOOKS, TO_PASS), (0.00100, 0.00340, 0.02303)),
        (nominal(0.025 / 13, LOOKS, TO_FAIL), (0.000232, 0.000444, 0.001422)),
        (None, (0.00003, 0.00297, 0.0237)),
    ],
    ids=["pass", "fail", "O'Brien-Fleming"],
)
def test_levels_at_the_declared_looks(found: tuple[float, ...] | None, golden: tuple[float, ...]) -> None:
    """The figures of the design were computed on a coarser grid: its later ones are 1 to 2 % too small."""
    found = found or levels(obrien_fleming(LOOKS), LOOKS)
    assert found == pytest.approx(golden, rel=0.021, abs=3e-6)
    assert all(ours >= theirs * 0.995 for ours, theirs in zip(found[1:], golden[1:], strict=True))


def test_all_looks_together_err_as_often_as_promised() -> None:
    for alpha, gamma in ((0.025, TO_PASS), (0.025, TO_FAIL), (0.025 / 13, TO_FAIL), (0.2, TO_PASS)):
        assert crossed(nominal(alpha, LOOKS, gamma), LOOKS) == pytest.approx(alpha, abs=3e-5)


@STEADY
@given(counts=st.lists(st.integers(1, 468), min_size=1, max_size=3, unique=True), gamma=st.sampled_from([-4.0, -2.0]))
def test_any_fractions_spend_all_of_it_and_no_more(counts: list[int], gamma: float) -> None:
    """Also where a look was skipped, or lies a single case before the end."""
    fractions = (*(count / 469 for count in sorted(counts)), 1.0)
    found = nominal(0.025, fractions, gamma)
    assert crossed(found, fractions) == pytest.approx(0.025, abs=1e-4)
    assert max(found) < 0.025 * (1 + 1e-9) or len(set(counts)) > 1
    assert len(found) == len(fractions)


def test_one_look_is_no_look_at_all() -> None:
    """To the last bit: what a run without looks says must not change."""
    for alpha in (0.025, 0.025 / 13, 0.01, 0.2, 0.1 / 7):
        assert nominal(alpha, (1.0,), TO_PASS) == (alpha,)
        assert nominal(alpha, (1.0,), TO_FAIL) == (alpha,)


@pytest.mark.parametrize("fractions", [(), (0.0, 1.0), (0.5, 0.5, 1.0), (0.6, 0.4), (0.5, 1.1)])
def test_fractions_that_are_none_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="information fractions increase"):
        nominal(0.025, fractions, TO_PASS)
