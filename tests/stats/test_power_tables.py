"""Numbers of cases and margins, against tables worked out elsewhere."""

from __future__ import annotations

import pytest

from jmedethic_pytest.stats.power import (
    achieved_power,
    design_effect,
    detectable_margin,
    unseen_share,
)


@pytest.mark.parametrize(("sd", "needed"), [(1.5, (442, 197, 71)), (2.0, (785, 349, 126)), (2.5, (1227, 546, 197))])
def test_cases_that_a_margin_needs(sd: float, needed: tuple[int, ...]) -> None:
    """One-sided alpha 2.5 %, power 80 %, no true drop, independent cases; margins 0.2, 0.3, 0.5."""
    for n, margin in zip(needed, (0.2, 0.3, 0.5), strict=True):
        assert detectable_margin(n, sd) <= margin < detectable_margin(n - 1, sd)


@pytest.mark.parametrize(("n", "margin"), [(67, 0.685), (469, 0.27), (2345, 0.15)])
def test_margin_that_a_suite_can_show(n: int, margin: float) -> None:
    """Standard deviation 2, intra-cluster correlation 0.02, 67 guidelines."""
    assert detectable_margin(n, 2.0, cluster_size=n / 67, icc=0.02) == pytest.approx(margin, abs=0.005)


def test_dependence_multiplies_the_cases() -> None:
    assert design_effect(35, 0.02) == pytest.approx(1.68)
    assert detectable_margin(round(1.68 * 785), 2.0, cluster_size=35, icc=0.02) == pytest.approx(0.2, abs=0.0005)
    assert design_effect(35, -0.02) == design_effect(1, 0.5) == 1.0


def test_power_is_alpha_at_the_margin_and_half_at_the_bound() -> None:
    assert achieved_power(469, 0.3, 2.0, true_drop=0.3) == pytest.approx(0.025)
    assert achieved_power(785, 0.2, 2.0) == pytest.approx(0.8, abs=0.001)
    assert achieved_power(100, 1.96 * 0.2, 2.0) == pytest.approx(0.5, abs=0.001)


def test_bound_of_the_gate_needs_a_few_cases_more_than_the_normal_approximation() -> None:
    assert detectable_margin(round(1.05 * 349), 2.0, clusters=67) == pytest.approx(0.3, abs=0.0005)
    assert achieved_power(349, 0.3, 2.0, clusters=67) == pytest.approx(0.78, abs=0.005)


def test_cases_of_a_kind_not_met_set_a_limit_that_no_likeness_of_runs_lowers() -> None:
    assert unseen_share(67, 0.025) == pytest.approx(0.0536, abs=0.0001)
    assert unseen_share(469, 0.025) == pytest.approx(3.69 / 469, rel=0.01)
    assert detectable_margin(67, 0.01, clusters=67, span=9.0) == pytest.approx(0.48, abs=0.01)
    assert detectable_margin(67, 0.01, clusters=67) < 0.01
    assert detectable_margin(round(9 * 3.69 / 0.3), 0.01, clusters=67, span=9.0) == pytest.approx(0.3, rel=0.02)
    twice = detectable_margin(134, 0.01, clusters=67, span=9.0, different=67)
    assert twice == pytest.approx(0.48, abs=0.01), "a case in two languages is one case"
